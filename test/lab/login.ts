/** Logins on a booted host: accounts, and the ssh client inside it. */

/** The client with the key of the tests, never asking anything. */
export const SSH =
  "ssh -F none -i /root/.ssh/id -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR";

/** A script that makes an account which, like root, can log in with the key of the tests. */
export function makeAccount(name: string): string {
  return `set -e
    mkdir -p /root/.ssh; [ -e /root/.ssh/id ] || ssh-keygen -q -t ed25519 -N "" -f /root/.ssh/id
    cp /root/.ssh/id.pub /root/.ssh/authorized_keys
    useradd -m -s /bin/bash ${name}; usermod -p '*' ${name}
    install -d -o ${name} -g ${name} -m 700 /home/${name}/.ssh
    install -o ${name} -g ${name} -m 600 /root/.ssh/id.pub /home/${name}/.ssh/authorized_keys`;
}
