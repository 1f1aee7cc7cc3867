// Every feed, with its latest entries.

import { readFileSync } from "node:fs";
import { load } from "js-yaml";

const LATEST = 50;

export default function () {
  const file = new URL("../catalogue.yaml", import.meta.url);
  const { site, topics, entries } = load(readFileSync(file, "utf8"));
  const feeds = new Map();

  function add(path, title, entry) {
    if (!feeds.has(path)) feeds.set(path, { site, path, title, entries: [] });
    const members = feeds.get(path).entries;
    if (members.length < LATEST) members.push(entry);
  }

  for (const entry of entries) entry.moment = new Date(entry.date);
  entries.sort((a, b) => b.moment - a.moment);
  for (const entry of entries) {
    add("", site.title, entry);
    for (const slug of entry.topics) add(`topics/${slug}/`, topics[slug], entry);
    for (const code of entry.countries) add(`countries/${code.toLowerCase()}/`, code, entry);
  }
  return [...feeds.values()];
}
