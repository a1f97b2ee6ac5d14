package io.quarry.it.dev;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.quarry.common.api.Json;
import io.quarry.common.api.RepositoryInfo;
import io.quarry.common.client.StorageClient;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code quarry dev}, as users start it for experiments. */
@Timeout(120)
final class DevIT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @Test
  void agentThatWasKilledHasTheRepositoryAgain(@TempDir Path directory) throws Exception {
    Process dev = start(directory);
    try (StorageClient client = new StorageClient(List.of(url(dev)))) {
      assertThat(start(directory).waitFor()).isEqualTo(1); // the directory is in use
      assertThat(repositories(client)).containsExactly("main");
      Path pid = directory.resolve("host-1").resolve("agent.pid");
      long agent = Long.parseLong(Files.readString(pid).strip());
      ProcessHandle.of(agent).orElseThrow().destroyForcibly();
      await()
          .atMost(PATIENCE)
          .ignoreExceptions()
          .until(() ->
              Long.parseLong(Files.readString(pid).strip()) != agent
                  && repositories(client).equals(List.of("main")));
      assertThat(Files.readString(directory.resolve("host-1").resolve("agent.log")))
          .as("the launcher's class path has a log")
          .contains(" INFO ")
          .doesNotContain("SLF4J");
    } finally {
      dev.destroy();
      assertThat(dev.waitFor(PATIENCE)).isTrue();
    }
  }

  private static Process start(Path directory) throws IOException {
    return new ProcessBuilder(
            "../quarry", "dev", "--hosts", "1", "--directory", directory.toString(), "-o", "json")
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  /** The URL of host-1, which the command prints once its cluster is ready. */
  private static URI url(Process dev) throws Exception {
    StringBuilder text = new StringBuilder();
    try (var lines = dev.inputReader(UTF_8)) {
      String line = lines.readLine();
      while (line != null && !line.equals("}")) {
        text.append(line);
        line = lines.readLine();
      }
    }
    JsonNode hosts = Json.MAPPER.readTree(text + "}");
    return URI.create(hosts.path("host-1").asText());
  }

  private static List<String> repositories(StorageClient client) {
    return client.listStorageRepositories().stream().map(RepositoryInfo::repoId).toList();
  }
}
