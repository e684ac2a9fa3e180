/*
 * The guide, 支持与维护: 监控指标, its four figures under the names that /metrics has for them.
 *
 *   node examples/guide/metrics.ts       with a port: curl http://127.0.0.1:8080/metrics
 */

import { type App, commandOn, createApp, createRegistry, on, timeOn } from "decorator-framework";

/** What Prometheus is asked for each of the guide's four figures. */
export const QUERIES = {
  事件处理延迟: "histogram_quantile(0.99, sum by (le) (rate(framework_delivery_latency_seconds_bucket[5m])))",
  命令响应时间: "histogram_quantile(0.99, sum by (le) (rate(framework_command_duration_seconds_bucket[5m])))",
  定时任务成功率: 'sum(rate(framework_time_tasks_total{status="ok"}[5m])) / sum(rate(framework_time_tasks_total[5m]))',
  系统资源使用率: "rate(process_cpu_seconds_total[5m])",
};
