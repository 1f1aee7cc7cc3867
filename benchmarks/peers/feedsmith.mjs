// Write a catalogue's Atom and RSS feeds with js-yaml and feedsmith, and markdown-it for bodies.
//
//     node feedsmith.mjs CATALOGUE FOLDER
//
// The parts that both formats share are made once for each entry.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateAtomFeed, generateRssFeed } from "feedsmith";
import { load } from "js-yaml";

const LATEST = 50;
const [cataloguePath, folder] = process.argv.slice(2);
const { site, topics, entries } = load(readFileSync(cataloguePath, "utf8"));
const markdown = entries.some((entry) => entry.body)
  ? (await import("markdown-it")).default()
  : undefined;

const feeds = new Map([["", { title: site.title, members: [] }]]);
for (const [slug, title] of Object.entries(topics)) {
  feeds.set(`topics/${slug}/`, { title, members: [] });
}
for (const entry of entries) entry.moment = new Date(entry.date);
entries.sort((a, b) => b.moment - a.moment);
for (const entry of entries) addToFeeds(entry);
for (const [path, feed] of feeds) {
  if (feed.members.length > 0) write(path, feed);
}

function addToFeeds(entry) {
  const paths = [
    "",
    ...entry.topics.map((slug) => `topics/${slug}/`),
    ...entry.countries.map((code) => `countries/${code.toLowerCase()}/`),
  ];
  for (const [index, path] of paths.entries()) {
    if (!feeds.has(path)) {
      const code = entry.countries[index - 1 - entry.topics.length];
      feeds.set(path, { title: code, members: [] });
    }
    const { members } = feeds.get(path);
    if (members.length < LATEST) members.push(entry);
  }
}

function write(path, { title, members }) {
  const target = join(folder, path);
  const address = site.url + path;
  const updated = members[0].moment;
  mkdirSync(target, { recursive: true });
  writeFileSync(
    join(target, "atom.xml"),
    generateAtomFeed({
      id: `${site.id}:${path}`,
      title: { value: title },
      updated,
      authors: [site.author],
      links: [
        { href: `${address}atom.xml`, rel: "self" },
        { href: address, rel: "alternate" },
      ],
      entries: members.map(atomEntry),
    }),
  );
  writeFileSync(
    join(target, "rss.xml"),
    generateRssFeed({
      title,
      link: address,
      description: title,
      lastBuildDate: updated,
      atom: { links: [{ href: `${address}rss.xml`, rel: "self", type: "application/rss+xml" }] },
      items: members.map(rssItem),
    }),
  );
}

function html(entry) {
  if (markdown) entry.html ??= markdown.render(entry.body);
  return entry.html;
}

function atomEntry(entry) {
  entry.atom ??= {
    id: `${site.id}:${entry.id}`,
    title: { value: entry.title },
    published: entry.moment,
    updated: entry.moment,
    summary: { value: entry.summary },
    links: [{ href: entry.link, rel: "alternate" }],
    categories: [...entry.topics, ...entry.countries].map((term) => ({ term })),
    content: markdown && { value: html(entry), type: "html" },
  };
  return entry.atom;
}

function rssItem(entry) {
  entry.rss ??= {
    guid: { value: `${site.id}:${entry.id}`, isPermaLink: false },
    title: entry.title,
    link: entry.link,
    description: entry.summary,
    pubDate: entry.moment,
    categories: [...entry.topics, ...entry.countries].map((name) => ({ name })),
    content: markdown && { encoded: html(entry) },
  };
  return entry.rss;
}
