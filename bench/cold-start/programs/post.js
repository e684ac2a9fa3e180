import { connect } from "node:net";

/** Posts `1` and resolves once the answer is "200 OK". Bare, so that no client's cost is taken for the server's. */
export function post(port, path) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      const head = ["content-type: application/json", "content-length: 1", "connection: close"];
      socket.write(`POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n${head.join("\r\n")}\r\n\r\n1`);
    });
    socket.once("error", reject);
    socket.once("data", (answer) => {
      const [status] = String(answer).split("\r\n");
      if (status.includes(" 200 ")) resolve();
      else reject(new Error(status));
    });
  });
}
