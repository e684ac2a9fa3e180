import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { post } from "./post.js";
import { report } from "./report.js";

const app = new Hono();
app.post("/events/:name", async (c) => c.json({ results: [(await c.req.json()) + 1] }));
serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) => {
  void post(port, "/events/ping").then(report);
});
