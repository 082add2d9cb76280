/** Text inside HTML, SVG and XML: what stands in a file never becomes markup. */
import { visible } from "./text.ts";

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Bytes of a configuration, one character each. */
export function escapeBytes(latin1: string): string {
  return escapeShown(visible(latin1));
}

/** For text that is made visible already. */
export function escapeShown(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
