# One agent under its guardian. Build once, run on every host; see docker-compose.yml.
FROM maven:3-eclipse-temurin-25 AS build
WORKDIR /src
COPY . .
RUN mvn -B -q -Dquick -pl agent/cli -am package && rm -f agent/cli/target/*-tests.jar

FROM eclipse-temurin:25-jre
RUN apt-get update \
    && apt-get install -y --no-install-recommends qemu-utils util-linux curl \
    && rm -rf /var/lib/apt/lists/*
ENV LC_ALL=C.UTF-8
COPY --from=build /src/agent/cli/target/lib /opt/quarry/lib
COPY --from=build /src/agent/cli/target/agent-cli-*.jar /opt/quarry/lib/
ENTRYPOINT ["java", "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow", \
    "-cp", "/opt/quarry/lib/*", "io.quarry.agent.cli.Main"]
CMD ["--help"]
EXPOSE 7070
