# Two images from one build: `central` for the central API and the central worker, `edge` for a site's edge worker.
# Temporal's native library needs glibc, so the base is Debian.
ARG BASE=node:20-bookworm-slim

FROM ${BASE} AS build
WORKDIR /muster
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build && rm -r dist/test && npm prune --omit=dev --ignore-scripts

FROM ${BASE} AS runtime
ENV NODE_ENV=production
WORKDIR /muster
COPY --from=build /muster/package.json ./
COPY --from=build /muster/node_modules ./node_modules
USER node

# What a site runs: no server, no workflows' bundle, and of the command line what a site needs (`muster site`). A site gives it
# its site.yaml and, where nodes are containers, the engine's socket and a state folder that has the same path on the host.
FROM runtime AS edge
COPY --from=build /muster/dist/workflows ./dist/workflows
COPY --from=build /muster/dist/certificates ./dist/certificates
COPY --from=build /muster/dist/client ./dist/client
COPY --from=build /muster/dist/nodes ./dist/nodes
COPY --from=build /muster/dist/storage ./dist/storage
COPY --from=build /muster/dist/activities ./dist/activities
COPY --from=build /muster/dist/workers ./dist/workers
COPY --from=build /muster/dist/dev ./dist/dev
COPY --from=build /muster/dist/cli ./dist/cli
ENTRYPOINT ["node", "dist/workers/edge.js"]
CMD ["--config", "/etc/muster/site.yaml"]

FROM runtime AS central
COPY --from=build /muster/dist ./dist
USER root
RUN install -d -o node -g node /data
USER node
EXPOSE 7400
CMD ["node", "dist/server/main.js"]
