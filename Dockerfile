# The collector: `docker build -t edgespan . && docker run -p 4318:4318 -v edgespan:/data edgespan`.
FROM node:24.21.0-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
# The build needs no install script; the test runtimes would each fetch a program of their own.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsup.config.ts ./
COPY scripts/dashboard.ts scripts/merge-chunks.ts scripts/
COPY src src
COPY adapters adapters
RUN node node_modules/tsup/dist/cli-default.js --silent

FROM node:24.21.0-slim
RUN mkdir /data && chown node:node /data
COPY --from=build /build/dist/cli.js /usr/local/lib/edgespan/cli.js
# Node can't tell a module by its package here.
RUN echo '{ "type": "module" }' > /usr/local/lib/edgespan/package.json \
  && ln -s /usr/local/lib/edgespan/cli.js /usr/local/bin/edgespan
USER node
WORKDIR /data
VOLUME /data
# Within a container 127.0.0.1 is the container alone. Give EDGESPAN_COLLECTOR_KEYS where others reach the port.
ENV NODE_ENV=production \
    EDGESPAN_COLLECTOR_HOST=0.0.0.0 \
    EDGESPAN_COLLECTOR_STORE=sqlite:/data/traces.db
EXPOSE 4318
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.EDGESPAN_COLLECTOR_PORT || 4318}/health`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["edgespan"]
CMD ["collector"]
