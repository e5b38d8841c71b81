// The usual loop over all clients of `ws`; with many rooms, over those of one.
import { WebSocketServer } from "ws";
import { HOST, getArgument, serveControl } from "./common.mjs";

const server = new WebSocketServer({ host: HOST, port: getArgument("--port"), backlog: 4096 });
const rooms = new Map();

server.on("connection", (socket, request) => {
  const room = Number(request.url.split("/")[2] || 0);
  if (!rooms.has(room)) rooms.set(room, new Set());
  rooms.get(room).add(socket);
  socket.on("close", () => rooms.get(room).delete(socket));
  socket.on("error", () => {});
});

serveControl(getArgument("--control"), (message, room) => {
  const text = JSON.stringify(message);
  for (const socket of rooms.get(room) ?? []) socket.send(text);
});
