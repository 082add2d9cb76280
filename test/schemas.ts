/** JSON Schemas as tests use them. */

/** No field that the schema does not name: a new one must be put there, too. */
export function closed<Schema>(schema: Schema): Schema {
  return JSON.parse(JSON.stringify(schema), (_, part: unknown) =>
    isObject(part) && "properties" in part && isObject(part["properties"]) && "type" in part
      ? { ...part, additionalProperties: false }
      : part,
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
