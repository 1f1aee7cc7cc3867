// Write a catalogue's Atom and RSS feeds with Eleventy, its RSS plugin's filters and js-yaml.
//
//     npx @11ty/eleventy --output=FOLDER
//
// The catalogue is catalogue.yaml beside this file. The plugin's own templates
// are one to a collection; its other way, templates with its filters, makes
// every feed from two.

import rssPlugin from "@11ty/eleventy-plugin-rss";
import markdownIt from "markdown-it";

export default function (config) {
  const renderer = markdownIt();
  const rendered = new Map();
  config.addPlugin(rssPlugin);
  // The same entry is in several feeds.
  config.addFilter("markdown", (text) => {
    if (!rendered.has(text)) rendered.set(text, renderer.render(text));
    return rendered.get(text);
  });
  config.setTemplateFormats(["njk"]);
}
