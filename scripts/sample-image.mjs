/** A docker-archive of one layer, for the build to run on: Debian's stock file, and what else an audit asks for. */
const STATUS = "Package: openssh-server\nStatus: install ok installed\nVersion: 1:9.2p1-2+deb12u7\n";
const PASSWD = "root:x:0:0:root:/root:/bin/bash\n";

/** `stock`: the bytes of its sshd_config. */
export function sampleImage(stock) {
  const layer = tar({
    "usr/lib/a.so": Buffer.alloc(20_000),
    "usr/lib/b.so": Buffer.alloc(0),
    "usr/sbin/sshd": Buffer.alloc(0),
    "var/lib/dpkg/status": Buffer.from(STATUS),
    "etc/passwd": Buffer.from(PASSWD),
    "etc/group": Buffer.from("root:x:0:\n"),
    "etc/ssh/sshd_config": stock,
  });
  const config = { os: "linux", architecture: "amd64", rootfs: { diff_ids: [] }, history: [] };
  const manifest = [{ Config: "config.json", RepoTags: ["sample:1"], Layers: ["layer.tar"] }];
  return tar({
    "layer.tar": layer,
    "config.json": Buffer.from(JSON.stringify(config)),
    "manifest.json": Buffer.from(JSON.stringify(manifest)),
  });
}

function tar(files) {
  const parts = Object.entries(files).flatMap(([name, data]) => [
    header(name, data.length),
    data,
    Buffer.alloc(-data.length & 511),
  ]);
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

function header(name, size) {
  const octal = (number, digits) => number.toString(8).padStart(digits, "0");
  const fields = {
    0: name,
    100: "0000644",
    108: "0000000",
    116: "0000000",
    124: octal(size, 11),
    136: octal(0, 11),
  };
  const block = Buffer.alloc(512);
  for (const [place, text] of Object.entries({
    ...fields,
    148: " ".repeat(8),
    156: "0",
    257: "ustar\u000000",
  }))
    block.write(text, Number(place), "latin1");
  block.write(
    `${octal(
      block.reduce((sum, byte) => sum + byte),
      6,
    )}\0 `,
    148,
    "latin1",
  );
  return block;
}
