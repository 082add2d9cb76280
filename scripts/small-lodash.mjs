// What chevrotain's parser takes of lodash (build.mjs, smallLodash), for arrays and plain objects alone: lodash itself is
// 228 modules that would be read and run at every start.
export const { isArray } = Array;
export const { assign, keys, values } = Object;

export const isFunction = (value) => typeof value === "function";
export const isObject = (value) => (typeof value === "object" && value !== null) || isFunction(value);
export const isRegExp = (value) => value instanceof RegExp;
export const isString = (value) => typeof value === "string";
export const isUndefined = (value) => value === undefined;
export const isEmpty = (value) => value == null || keys(value).length === 0;

export const noop = () => {};

const list = (some) => (isArray(some) ? some : values(some ?? {}));

export const has = (object, key) => object != null && Object.hasOwn(object, key);
export const clone = (value) => (isArray(value) ? value.slice() : { ...value });
export const defaults = (object, others) => assign(object, { ...others, ...object });
export const pickBy = (object, isWanted) =>
  Object.fromEntries(Object.entries(object).filter(([key, value]) => isWanted(value, key)));

export const forEach = (some, action) => {
  if (isArray(some)) some.forEach((value, index) => void action(value, index));
  else for (const key of keys(some ?? {})) action(some[key], key);
};
export const map = (some, change) =>
  isArray(some) ? some.map(change) : keys(some ?? {}).map((key) => change(some[key], key));
export const find = (some, isWanted) => list(some).find(isWanted);
export const every = (some, holds) => list(some).every(holds);
export const some = (values, holds) => list(values).some(holds);
export const includes = (values, value) => list(values).includes(value);
export const reduce = (values, add, start) => list(values).reduce(add, start);

export const first = (values) => values?.[0];
export const last = (values) => values?.at(-1);
export const dropRight = (values, count = 1) => values.slice(0, Math.max(0, values.length - count));
export const compact = (values) => values.filter(Boolean);
export const flatten = (values) => values.flat();
export const uniq = (values) => [...new Set(values)];
export const difference = (values, without) => values.filter((value) => !without.includes(value));
