import { feedPlugin } from "@11ty/eleventy-plugin-rss";

export default function (config) {
  for (const [type, path] of [["atom", "/feed/feed.xml"], ["rss", "/feed/rss.xml"], ["json", "/feed/feed.json"]]) {
    config.addPlugin(feedPlugin, {
      type,
      outputPath: path,
      collection: { name: "posts", limit: 0 },
      metadata: {
        language: "en",
        title: "Old news",
        subtitle: "What was.",
        base: process.env.SITE_URL,
        author: { name: "The office", email: "" },
      },
    });
  }
}
