// Loaded into a command and all its Node children by NODE_OPTIONS=--import: refuses every connection that leaves
// this machine, and notes it in the file that OFFLINE_NOTES names.
import { appendFileSync } from "node:fs";
import net from "node:net";

const connect = net.Socket.prototype.connect;

net.Socket.prototype.connect = function (...args) {
  const [first, second] = args.flat();
  const options = typeof first === "object" && first !== null ? first : { port: first, host: second };
  const { host = "localhost", port, path } = options;
  const isLocal = path !== undefined || ["localhost", "127.0.0.1", "::1"].includes(host);
  if (isLocal) return connect.apply(this, args);
  appendFileSync(process.env.OFFLINE_NOTES ?? "", `${host}:${port}\n`);
  process.nextTick(() => this.destroy(new Error(`There is no network: ${host}:${port}`)));
  return this;
};
