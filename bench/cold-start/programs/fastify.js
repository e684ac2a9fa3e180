import Fastify from "fastify";
import { post } from "./post.js";
import { report } from "./report.js";

const app = Fastify({ logger: false });
app.post("/events/:name", async (request) => ({ results: [request.body + 1] }));
await app.listen({ host: "127.0.0.1", port: 0 });
await post(app.server.address().port, "/events/ping");
report();
