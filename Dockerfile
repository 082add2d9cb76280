# docker build -t sshd-policy . && docker run --rm -v "$PWD:/work:ro" sshd-policy audit etc/ssh/sshd_config
FROM node:22-slim AS build
WORKDIR /source
COPY . .
RUN npm ci --no-audit --no-fund && npm pack --pack-destination /

FROM node:22-slim
COPY --from=build /sshd-policy-*.tgz /
RUN npm install --global --no-audit --no-fund /sshd-policy-*.tgz && rm /sshd-policy-*.tgz
USER node
WORKDIR /work
ENTRYPOINT ["sshd-policy"]
