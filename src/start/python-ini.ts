/** Files as Python's configparser reads them (RawConfigParser, `#` and `;` behind a blank as comments). */

export interface IniEntry {
  readonly section: string;
  /** lower case */
  readonly key: string;
  /** its lines without the blanks around them */
  readonly value: string;
}

/** In order; the later of two for the same key counts. */
export function iniEntries(text: string): readonly IniEntry[] {
  const found: { readonly section: string; readonly key: string; value: string }[] = [];
  let section = "";
  let indent = 0;
  let isOpen = false;
  for (const line of text.split(/\r\n|[\r\n]/)) {
    const value = line.replace(/(?:^|(?<=\s))[#;].*$/s, "").trim();
    if (value === "") continue;
    const own = line.search(/\S/);
    const last = found.at(-1);
    // deeper than its key: a further line of the value
    if (isOpen && own > indent && last !== undefined) {
      last.value += `\n${value}`;
      continue;
    }
    indent = own;
    const [, header] = /^\[(.+)\]/.exec(value) ?? [];
    const end = value.search(/[=:]/);
    isOpen = header === undefined && end > 0;
    if (header !== undefined) section = header;
    else if (isOpen) {
      const key = value.slice(0, end).trimEnd().toLowerCase();
      found.push({ section, key, value: value.slice(end + 1).trimStart() });
    }
  }
  return found;
}
