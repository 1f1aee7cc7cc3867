// Prints what feedsmith reads of the feed on stdin, as JSON.
import { readFileSync } from "node:fs"
import { parseFeed } from "feedsmith"

process.stdout.write(JSON.stringify(parseFeed(readFileSync(0, "utf-8"))))
