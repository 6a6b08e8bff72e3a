"""Does a job with the Python SDK's second line (mcp 2.x): discovery of the newer protocol, then the handshake. Run in
its own environment."""

import asyncio
import json
import sys

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError


async def do(job):
    headers = {"Authorization": f"Bearer {job['sign_in']['token']}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(job["url"], http_client=http)) as client,
    ):
        tools = (await client.list_tools()).tools
        prompts = (await client.list_prompts()).prompts
        guides = (await client.list_resources()).resources
        for guide in guides[:1]:
            await client.read_resource(str(guide.uri))
        results = [await call(client, name, arguments) for name, arguments, _ in job["steps"]]
        return {
            "protocol": str(client.protocol_version),
            "instructions": bool(client.instructions),
            "tools": [tool.name for tool in tools],
            "prompts": len(prompts),
            "results": results,
        }


async def call(client, name, arguments):
    try:
        result = await client.call_tool(name, arguments)
    except MCPError as error:
        return {"error": error.error.message}
    text = result.content[0].text if result.content else ""
    return {"error": text} if result.is_error else {"structured": result.structured_content, "text": text}


print(json.dumps(asyncio.run(do(json.load(sys.stdin)))))
