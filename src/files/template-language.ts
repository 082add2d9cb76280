/** Which language a template of an sshd_config is written in, by its ending and by the marks of its placeholders. */

/** Languages by their name; placeholders that many a tool replaces by their marks. */
export type Language =
  | "Jinja"
  | "Twig"
  | "Liquid"
  | "Tera"
  | "Handlebars"
  | "mustache"
  | "Go"
  | "ERB"
  | "EPP"
  | "EJS"
  | "Mako"
  | "FreeMarker"
  | "Velocity"
  | "Template Toolkit"
  | "Terraform"
  | "shell"
  | "[[NAME]]"
  | "#{NAME}"
  | "%(NAME)s"
  | "{NAME}"
  | "@NAME@"
  | "@@NAME@@"
  | "%NAME%"
  | "%%NAME%%"
  | "__NAME__";

export const TEMPLATE_ENDING: RegExp =
  /\.(?:j2|jinja2?|twig|liquid|tera|hbs|handlebars|mustache|erb|epp|ejs|mako|ftl|vm|tt|tmpl|tpl|gotmpl|gotpl|ctmpl|tftpl|in|template|envsubst)$/i;

/** What an ending says, where such marks are there. */
const BY_ENDING: readonly (readonly [ending: RegExp, language: Language, marks: RegExp])[] = [
  [/^\.j/, "Jinja", /\{[{%#]/],
  [/^\.twig/, "Twig", /\{[{%#]/],
  [/^\.liquid/, "Liquid", /\{[{%]/],
  [/^\.tera/, "Tera", /\{[{%#]/],
  [/^\.(?:hbs|handlebars)/, "Handlebars", /\{\{/],
  [/^\.mustache/, "mustache", /\{\{/],
  [/^\.(?:gotmpl|gotpl|ctmpl)/, "Go", /\{\{|\[\[|<%/],
  [/^\.erb/, "ERB", /<%/],
  [/^\.epp/, "EPP", /<%/],
  [/^\.ejs/, "EJS", /<%/],
  [/^\.mako/, "Mako", /<%|\$\{|^[ \t]*%[ \t]*[a-z]/m],
  [/^\.ftl/, "FreeMarker", /<#|\$\{|\[#/],
  [/^\.vm/, "Velocity", /\$!?\{?[A-Za-z_]|#(?:if|foreach|set)\b/],
  [/^\.tt/, "Template Toolkit", /\[%/],
  [/^\.tftpl/, "Terraform", /%\{|\$\{/],
];

/** `{{ .Port }}`, `{{ range … }}`, and the functions of consul-template, confd and gomplate with a text. */
const OF_GO =
  "(?:[.$][A-Za-z_(]|(?:if|range|with|define|block|end)\\b|(?:key|keyOrDefault|env|getenv|getv|secret|service|include|template|printf)[ \\t]+[\"'`(])";

/** What marks say by themselves, the surest first. */
const BY_MARKS: readonly (readonly [language: Language, marks: RegExp])[] = [
  [
    "Mako",
    /^[ \t]*%[ \t]*(?:if|for|while|elif|else|endif|endfor|endwhile)\b|<%(?:!|(?:def|inherit|include|namespace|block|page)[ \t])/m,
  ],
  ["Go", new RegExp(`(?:<%|\\[\\[|\\{\\{)-?[ \\t]*${OF_GO}`)],
  ["EPP", /<%-?[ \t]*\||<%=?[ \t]*\$[a-z]/],
  ["ERB", /<%/],
  ["FreeMarker", /<#(?:if|list|else|assign|--)/],
  ["Handlebars", /\{\{~?[#/](?:if|each|unless|with|let)\b/],
  ["mustache", /\{\{[#^/&>][ \t]*[A-Za-z_.]|\{\{![^}]|\{\{\{[ \t]*[A-Za-z_]/],
  ["Jinja", /\{\{|\{%|^[ \t]*\{#/m],
  ["Template Toolkit", /\[%[-+~]?[ \t]*[A-Za-z]/],
  ["[[NAME]]", /\[\[-?[ \t]*[A-Za-z_][^\]\n]{0,200}\]\]/],
  ["Terraform", /%\{/],
];

/** Of a word of a line that is no comment. Windows has `__PROGRAMDATA__/…`, and who takes AllowUsers for sudoers `@group@host`. */
const BY_WORD: readonly (readonly [language: Language, marks: RegExp])[] = [
  ["#{NAME}", /#\{[A-Za-z_][\w.-]*\}/],
  ["%(NAME)s", /%\([A-Za-z_]\w*\)[sd]/],
  ["@@NAME@@", /^@@[A-Za-z_]\w*@@/],
  ["@NAME@", /^@[A-Za-z_]\w*@(?![\w*?])/],
  ["%%NAME%%", /^%%[A-Z_][A-Z0-9_]+%%$/],
  ["%NAME%", /^%[A-Z_][A-Z0-9_]+%$/],
  ["__NAME__", /^__[A-Z][A-Z0-9_]*__$/],
  ["{NAME}", /^\{[A-Za-z_][\w.]*\}$/],
];

/** `${NAME}` anywhere, `$NAME` as a whole value or line (envsubst(1)). */
const SHELL_VALUE = /\$\{[A-Za-z_]|^[ \t]*(?:[A-Za-z0-9]+(?:[ \t]+|[ \t]*=[ \t]*))?"?\$[A-Za-z_]/m;

/** Placeholders that end within the line. */
const WHOLE = /\{\{[^{}]*\}\}|<%=[^<%]*%>|\$\{[^${}]*\}|\$[A-Za-z_]|@\w+@|\[\[[^[\]]*\]\]|\[%[^[%]*%\]/g;

/** Values that sshd takes as they are written: in them, braces are the administrator's own. */
const FREE_TEXT =
  /^[ \t]*(?:banner|forcecommand|authorizedkeyscommand|authorizedprincipalscommand|subsystem|versionaddendum|setenv|chrootdirectory)[ \t=].*$/gim;

/** Null: as it stands it is what sshd reads. A placeholder that ends within its comment makes no difference to sshd. */
export function templateOf(path: string, text: string): Language | null {
  const ending = TEMPLATE_ENDING.exec(path)?.[0].toLowerCase() ?? "";
  const read = text.replaceAll(/^[ \t]*#.*$/gm, (line) => line.replaceAll(WHOLE, ""));
  const counting = ending === "" ? read.replaceAll(FREE_TEXT, "") : read;
  const named = BY_ENDING.find(([own, , marks]) => own.test(ending) && marks.test(counting))?.[1];
  const marked = named ?? BY_MARKS.find(([, marks]) => marks.test(counting))?.[0];
  // templates of Go have no ending of their own
  if (marked === "Jinja" && /^\.(?:tmpl|tpl)$/.test(ending) && !counting.includes("{%")) return "Go";
  return marked ?? (SHELL_VALUE.test(counting) ? "shell" : byWords(counting));
}

function byWords(text: string): Language | null {
  for (const line of text.split("\n")) {
    if (/^[ \t]*#/.test(line) && !/^[ \t]*#\{/.test(line)) continue;
    const words = line.split(/[ \t\r",=]+/);
    const found = BY_WORD.find(([, marks]) => words.some((word) => marks.test(word)));
    if (found !== undefined) return found[0];
  }
  return null;
}
