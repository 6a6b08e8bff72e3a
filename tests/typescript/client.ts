// Calls operations by name through the typed client, one JSON line in, one out, until the input ends.
//
//   node client.js http://127.0.0.1:8000 TOKEN
//   {"operation": "getProject", "init": {"params": {"path": {"namespaceName": "acme", "projectName": "shop"}}}}
//   {"status": 200, "contentType": "application/json", "text": "…", "hasData": true, "hasError": false}

import createClient from "openapi-fetch";
import type { paths } from "./contract.js";
import { callsOf } from "./calls.js";

declare const process: {
  argv: string[];
  stdin: { setEncoding(encoding: string): void } & AsyncIterable<string>;
  stdout: { write(text: string): void };
};

let text = "";
const [, , baseUrl, token] = process.argv;
const client = createClient<paths>({
  baseUrl,
  headers: { Authorization: `Bearer ${token}` },
  fetch: async (request: Request) => {
    const response = await fetch(request);
    text = await response.clone().text(); // as it came, beside what the client makes of it
    return response;
  },
});
const calls = callsOf(client);

let rest = "";
process.stdin.setEncoding("utf-8");
for await (const chunk of process.stdin) {
  const lines = (rest + chunk).split("\n");
  rest = lines.pop() ?? "";
  for (const line of lines) {
    const { operation, init } = JSON.parse(line);
    const { data, error, response } = await calls[operation as keyof typeof calls](init);
    const contentType = response.headers.get("content-type") ?? "";
    const told = { status: response.status, contentType, text, hasData: data !== undefined, hasError: error !== undefined };
    process.stdout.write(JSON.stringify(told) + "\n");
  }
}
