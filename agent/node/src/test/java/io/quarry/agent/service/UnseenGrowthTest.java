package io.quarry.agent.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.agent.AgentsUnderTest;
import io.quarry.agent.data.Tools;
import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.repository.ForwardedRequest;
import io.quarry.common.api.DownloadRequest;
import io.quarry.common.api.ImageData;
import io.quarry.common.api.Json;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.client.StorageClient;
import io.quarry.coordinator.plan.CloseImage;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * 20.4: a VM enlarged its disk and wrote behind the old end, and its open ended without a record of
 * the growth. The next call cut the end of the disk.
 */
@Timeout(180)
final class UnseenGrowthTest {
  private static final int MIB = 1 << 20;
  private static final int KNOWN = 4 * MIB;
  private static final int GROWN = 6 * MIB;
  private static final int LARGE = 8 * MIB;

  @TempDir static Path directory;

  private static AgentsUnderTest agents;
  private static StorageClient client;
  private static Tools tools;

  @BeforeAll
  static void start() throws Exception {
    agents = AgentsUnderTest.start(directory, 1, "main");
    client = agents.client(0);
    tools = new Tools(new Children(new Spawner(), "test"));
  }

  @AfterAll
  static void stop() {
    if (agents != null) {
      agents.close();
    }
  }

  @Test
  void snapshotHoldsTheGrowth() throws Exception {
    String disk = grownUnseen();
    String snapshot = AgentsUnderTest.snapshot(client, "main", disk);
    assertContent(snapshot, GROWN);
    assertContent(disk, GROWN);
  }

  @Test
  void copyHoldsTheGrowth() throws Exception {
    String copy = AgentsUnderTest.copy(client, "main", grownUnseen(), null);
    agents.awaitOptimized("main", copy);
    assertContent(copy, GROWN);
  }

  @Test
  void resizedDiskHoldsTheGrowth() throws Exception {
    String disk = grownUnseen();
    client.resizeImage("main", disk, LARGE, null);
    agents.awaitOptimized("main", disk);
    assertContent(disk, LARGE);
  }

  @Test
  void downloadHoldsTheGrowth() throws Exception {
    String disk = grownUnseen();
    try (ImageData data = client.downloadImage("main", disk, DownloadRequest.WHOLE)) {
      assertThat(data.content().readAllBytes()).hasSize(GROWN).containsOnly(7);
    }
  }

  @Test
  void readOnlyOpenShowsTheGrowth() throws Exception {
    OpenedImage read =
        client.openImage("main", grownUnseen(), new OpenRequest(true, "backup"), null);
    assertThat(read.size()).isEqualTo(GROWN);
  }

  @Test
  void openedDiskHoldsTheGrowth() throws Exception {
    String disk = grownUnseen();
    var _ = client.openImage("main", disk, new OpenRequest(false, "vm"), null);
    assertThat(client.getImage("main", disk, 0).size()).isEqualTo(GROWN);
  }

  /** An administrator ends the open: the VM is gone, but the growth is recorded. */
  @Test
  void openThatEndsByForceRecordsTheGrowth() throws Exception {
    OpenedImage opened = grown(agents.disk("main", KNOWN));
    client.closeOpen("main", opened.openId(), true, null);
    assertThat(client.getImage("main", opened.imageId(), 0).size()).isEqualTo(GROWN);
  }

  private static String grownUnseen() throws Exception {
    String disk = agents.disk("main", KNOWN);
    OpenedImage opened = grown(disk);
    // Ends the open as an agent does that cannot look at the file.
    commit(new CloseImage(disk, opened.openId()));
    return disk;
  }

  private static OpenedImage grown(String disk) throws Exception {
    OpenedImage opened = client.openImage("main", disk, new OpenRequest(false, "vm"), null);
    String format = opened.format().label();
    tools.run("qemu-img", "resize", "-q", "-f", format, opened.path(), Integer.toString(GROWN));
    tools.io(Path.of(opened.path()), format, "write -P 7 0 " + GROWN);
    return opened;
  }

  private static void commit(CloseImage request) throws Exception {
    String key =
        Json.MAPPER
            .readTree(agents.repository("main").resolve("repository.json").toFile())
            .path("key")
            .textValue();
    URI agent = URI.create(client.listHosts().getFirst().endpoint());
    byte[] body =
        Json.MAPPER.writeValueAsBytes(
            new ForwardedRequest(key, UUID.randomUUID().toString(), null, request));
    try (HttpClient http = HttpClient.newHttpClient()) {
      HttpResponse<String> answer =
          http.send(
              HttpRequest.newBuilder(agent.resolve("/internal/v1/submit"))
                  .header("Content-Type", "application/json")
                  .POST(BodyPublishers.ofByteArray(body))
                  .build(),
              BodyHandlers.ofString());
      assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    }
  }

  /** Sevens, and zeros behind the bytes that the VM has written. */
  private static void assertContent(String image, int size) throws Exception {
    assertThat(client.getImage("main", image, 0).size()).isEqualTo(size);
    try (ImageData data = client.downloadImage("main", image, DownloadRequest.WHOLE)) {
      byte[] content = data.content().readAllBytes();
      assertThat(content).hasSize(size);
      assertThat(Arrays.copyOf(content, GROWN)).containsOnly(7);
      if (size > GROWN) {
        assertThat(Arrays.copyOfRange(content, GROWN, size)).containsOnly(0);
      }
    }
  }
}
