declare const __VERSION__: string;
process.stdout.write(`sshd-policy ${__VERSION__}\n`);
