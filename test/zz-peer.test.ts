import fc from "fast-check";
import { expect, it } from "vitest";
import { exposure } from "/work/w-truth/src/policy/exposure.ts";
import { locate } from "/work/w-truth/src/policy/locate.ts";
import { parseAddress } from "/work/w-truth/grammar/addresses.ts";
import { configOf } from "/work/w-truth/test/configurations.ts";
const ADDR = ["10.0.0.1","10.1.2.3","1.1.1.1","192.168.1.7","2001:db8::1","2001:db8:7:1:9::1","2001:db8:7:1:9:1:1:1","fe80::1%eth0"];
const NAMES = ["a","a.b","10","h10.0.0.1","x.example.com","1.b","fe80"];
const PAT = fc.oneof(fc.constantFrom(...ADDR,...NAMES), fc.constantFrom("*","?","*.*","*:*","2001:*:9*:?","*1","10.*","1*","*.b","a*","?????????*","*:7:*","!*","0x*"),
 fc.tuple(fc.constantFrom(...ADDR,...NAMES),fc.nat(12),fc.constantFrom("*","?")).map(([t,a,w])=>t.slice(0,a)+w+t.slice(a+1)));
const ITEM = fc.tuple(fc.constantFrom("","","!"),PAT).map(p=>p.join(""));
const LIST = fc.array(ITEM,{minLength:1,maxLength:3}).map(l=>l.join(","));
const CRIT = fc.oneof(LIST.map(l=>`Host ${l}`), fc.oneof(LIST, fc.constantFrom("10.0.0.0/8","::/0","0.0.0.0/0","2001:db8::/32")).map(l=>`Address ${l}`));
const BLOCK = fc.tuple(fc.array(CRIT,{minLength:1,maxLength:2}), fc.constantFrom("yes","no")).map(([c,v])=>`Match ${c.join(" ")}\nX11Forwarding ${v}\n`);
const TEXT = fc.tuple(fc.constantFrom("yes","no"),fc.array(BLOCK,{minLength:1,maxLength:4}),fc.boolean()).map(([d,b,all])=>`UseDNS ${d}\n${b.join("")}${all?"Match all\nX11Forwarding yes\n":""}`);
it("peers", () => {
 let unknown=0, n=0;
 fc.assert(fc.property(TEXT,(text)=>{
  const config = configOf(text,"9.6");
  const dns = text.startsWith("UseDNS yes");
  const { answers } = exposure(config,{capabilities:["x11"]});
  n++; if (answers.some(a=>a.allowed==="unknown")) unknown++;
  for (const {witness} of answers) {
    if (witness===null) continue;
    if (!dns) expect([text,witness.host]).toEqual([text,witness.addr]);
    else if (witness.host !== witness.addr) expect([text, witness.host, witness.addr, parseAddress(witness.host??"")]).toEqual([text,witness.host,witness.addr,null]);
  }
  for (const addr of ADDR) for (const host of dns?[addr,...NAMES.filter(x=>x!=="10")]:[addr]) {
    const c = {user:"alice",groups:[],host,addr,laddr:"192.0.2.1",lport:22,rdomain:"",invalidUser:false};
    const a = locate(config,answers,"x11",c);
    expect([text,addr,host,a===null]).toEqual([text,addr,host,false]);
  }
 }),{numRuns:Number(process.env.RUNS??1500), seed: Number(process.env.SEED??1)});
 console.log(n,unknown);
},500000);
