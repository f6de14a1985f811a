"""A module in Python: JSON-RPC, one message per line, on standard input and output (the Model Context Protocol). No packages needed.

Its tools become the methods of the module's interface. What it writes to standard error is logged.
"""

import json
import re
import sys
from collections import Counter

TEXT = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
TOOLS = [
    {"name": "count", "description": "How many words a text has", "inputSchema": TEXT},
    {"name": "most_common", "description": "The five most common words, with how often they occur", "inputSchema": TEXT},
]

config = {"lowercase": True}


class RpcError(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def words(text):
    return re.findall(r"\w+", text.lower() if config["lowercase"] else text)


def call_tool(name, arguments):
    text = arguments.get("text")
    if not isinstance(text, str):
        raise ValueError("'text' must be a string")
    if name == "count":
        return {"words": len(words(text))}
    if name == "most_common":
        return {"words": [{"word": word, "count": count} for word, count in Counter(words(text)).most_common(5)]}
    raise ValueError(f"there is no tool '{name}'")


def answer(method, params):
    if method == "initialize":
        return {
            "protocolVersion": params["protocolVersion"],
            "serverInfo": {"name": "word-count-py", "version": "1.0.0"},
            # `experimental.enigma` names what this module has of a module's other functions.
            "capabilities": {"tools": {}, "experimental": {"enigma": {"load": {}, "health": {}}}},
        }
    if method == "ping":
        return {}
    if method == "tools/list":
        return {"tools": TOOLS}
    if method == "tools/call":
        try:
            result = call_tool(params["name"], params.get("arguments", {}))
        except ValueError as error:
            return {"content": [{"type": "text", "text": str(error)}], "isError": True}
        return {"content": [{"type": "text", "text": json.dumps(result)}], "structuredContent": result}
    if method == "enigma/load":
        config.update(params["config"])
        return {}
    if method == "enigma/health":
        return {"status": "healthy", "message": f"lowercase: {config['lowercase']}"}
    raise RpcError(-32601, f"no method '{method}'")


def main():
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message:
            continue  # a notification; none of them changes anything here
        reply = {"jsonrpc": "2.0", "id": message["id"]}
        try:
            reply["result"] = answer(message["method"], message.get("params", {}))
        except RpcError as error:
            reply["error"] = {"code": error.code, "message": str(error)}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
