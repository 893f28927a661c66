// CPU milliseconds a file that Renovate's own extraction of Dockerfiles takes: reading and extracting, first pass of a
// fresh process. Arguments: its dist folder, the folder of the files; standard input: their paths, a line each.
import { readFileSync } from "node:fs";

const [dist, folder] = process.argv.slice(2);
const { init } = await import(`${dist}/logger/index.js`);
const { GlobalConfig } = await import(`${dist}/config/global.js`);
const { getManagerPackageFiles } = await import(`${dist}/workers/repository/extract/manager-files.js`);
await init();
GlobalConfig.set({ localDir: folder, platform: "local" });
const fileList = readFileSync(0, "utf8").split("\n").filter(Boolean);
const config = { manager: "dockerfile", fileList, enabled: true, skipInstalls: true };
const start = process.cpuUsage();
const found = await getManagerPackageFiles(config);
const { user, system } = process.cpuUsage(start);
process.stderr.write(JSON.stringify({ ms: (user + system) / 1000 / fileList.length, files: found.length }));
