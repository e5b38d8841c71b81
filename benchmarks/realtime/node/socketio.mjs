// Socket.IO, one room.
import { createServer } from "node:http";
import { Server } from "socket.io";
import { HOST, getArgument, serveControl } from "./common.mjs";

const pages = createServer();
const server = new Server(pages, { transports: ["websocket"] });

server.on("connection", (socket) => socket.join("bench"));
pages.listen({ host: HOST, port: getArgument("--port"), backlog: 4096 });

serveControl(getArgument("--control"), (message) => server.to("bench").emit("message", message));
