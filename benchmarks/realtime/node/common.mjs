// What the servers on Node share: arguments, the message, and the orders of the load client; see servers/common.py.
import net from "node:net";

const MESSAGE_BYTES = 250;
export const HOST = "127.0.0.1";

export function getArgument(name) {
  return Number(process.argv[process.argv.indexOf(name) + 1]);
}

export function makeMessage(kind, due, number) {
  const type = kind === "e" ? "bench_event" : "bench_state";
  const timestamp = `${new Date().toISOString().slice(0, -1)}000+00:00`;
  const key = kind === "e" ? "n" : "m";
  const bare = `{"type":"${type}","timestamp":"${timestamp}","data":{"t":${due},"${key}":${number},"pad":""}}`;
  // Nanoseconds of a machine that runs for less than 104 days are a safe integer.
  const data = { t: due, [key]: number, pad: "x".repeat(Math.max(MESSAGE_BYTES - bare.length, 0)) };
  return { type, timestamp, data };
}

export function serveControl(port, publish) {
  const control = net.createServer((socket) => {
    let rest = "";
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.on("data", (data) => {
      const lines = (rest + data).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        const [kind, room, first, count, due] = line.split(" ");
        if (kind === "g") continue;
        for (let i = 0; i < Number(count); i++) {
          publish(makeMessage(kind, Number(due), Number(first) + i), Number(room));
        }
      }
    });
  });
  control.listen(port, HOST);
}
