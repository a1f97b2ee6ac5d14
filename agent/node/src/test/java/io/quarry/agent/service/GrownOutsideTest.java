package io.quarry.agent.service;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.agent.AgentsUnderTest;
import io.quarry.agent.data.Tools;
import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.storage.directory.LocalfsFormat;
import io.quarry.common.api.DownloadRequest;
import io.quarry.common.api.ImageData;
import io.quarry.common.api.Json;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.VolumeFormat;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * 12.17: {@code virsh blockresize} enlarged a disk, and a guest wrote behind the end that the log
 * knows. An overlay that is enlarged afterwards promises zeros there. A repository of the first
 * version adopts no growth.
 */
@Timeout(180)
final class GrownOutsideTest {
  private static final int MIB = 1 << 20;

  /** A size that ends inside a cluster of an overlay. */
  private static final int KNOWN = 4 * MIB + 512;

  private static final int FOUND = 6 * MIB;
  private static final int LARGE = 8 * MIB;

  @TempDir static Path directory;

  private static AgentsUnderTest agents;
  private static StorageClient client;
  private static Tools tools;

  @BeforeAll
  static void start() throws Exception {
    makeOld(directory.resolve("main"));
    agents = AgentsUnderTest.start(directory, 1, "main");
    client = agents.client(0);
    tools = new Tools(new Children(new Spawner(), "test"));
  }

  private static void makeOld(Path place) throws Exception {
    Map<String, String> parameters = Map.of("path", Files.createDirectories(place).toString());
    new LocalfsFormat().connect(parameters, true, "creator").close();
    Path genesis = place.resolve("repository.json");
    ObjectNode json = (ObjectNode) Json.MAPPER.readTree(genesis.toFile());
    json.put("version", 1).remove("features");
    Files.write(genesis, Json.MAPPER.writeValueAsBytes(json));
  }

  @AfterAll
  static void stop() {
    if (agents != null) {
      agents.close();
    }
  }

  @Test
  void rawDiskThatIsResizedShowsZeros() throws Exception {
    String disk = agents.disk("main", KNOWN);
    assertThat(growOutside(disk)).isEqualTo(VolumeFormat.RAW);
    client.resizeImage("main", disk, LARGE, null);
    agents.awaitOptimized("main", disk);
    assertZerosBehindTheKnown(disk, LARGE);
  }

  @Test
  void overlayThatIsResizedShowsZeros() throws Exception {
    String disk = agents.disk("main", KNOWN);
    AgentsUnderTest.snapshot(client, "main", disk);
    agents.awaitOptimized("main", disk);
    assertThat(growOutside(disk)).isEqualTo(VolumeFormat.QCOW2);
    client.resizeImage("main", disk, LARGE, null);
    agents.awaitOptimized("main", disk);
    assertZerosBehindTheKnown(disk, LARGE);
  }

  @Test
  void largerDiskOverSnapshotAndCopiesOfItShowZeros() throws Exception {
    String disk = agents.disk("main", KNOWN);
    growOutside(disk);
    String snapshot = AgentsUnderTest.snapshot(client, "main", disk);
    String over = agents.disk("main", LARGE, snapshot);
    assertZerosBehindTheKnown(over, LARGE);
    String copy = AgentsUnderTest.copy(client, "main", over, null);
    agents.awaitOptimized("main", copy);
    assertZerosBehindTheKnown(copy, LARGE);
  }

  @Test
  void copyHasTheSizeThatTheLogKnows() throws Exception {
    String disk = agents.disk("main", KNOWN);
    growOutside(disk);
    String copy = AgentsUnderTest.copy(client, "main", disk, null);
    agents.awaitOptimized("main", copy);
    OpenedImage opened = client.openImage("main", copy, new OpenRequest(true, "reader"), null);
    assertThat(Path.of(opened.path())).hasSize(KNOWN);
    client.closeImage("main", copy, opened.openId(), null);
    assertZerosBehindTheKnown(copy, KNOWN);
  }

  /** An older agent without root rights could not merge into a frozen file. */
  @Test
  void snapshotsFilesStayWritableUntilTheUpgrade() throws Exception {
    String disk = agents.disk("main", KNOWN);
    OpenedImage opened = client.openImage("main", disk, new OpenRequest(true, "reader"), null);
    client.closeImage("main", disk, opened.openId(), null);
    AgentsUnderTest.snapshot(client, "main", disk);
    agents.awaitOptimized("main", disk);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(Path.of(opened.path()))))
        .isEqualTo("rw-rw----");
  }

  private static VolumeFormat growOutside(String disk) throws Exception {
    OpenedImage opened = client.openImage("main", disk, new OpenRequest(false, "vm"), null);
    String format = opened.format().label();
    tools.run("qemu-img", "resize", "-q", "-f", format, opened.path(), Integer.toString(FOUND));
    tools.io(Path.of(opened.path()), format, "write -P 7 0 " + FOUND);
    client.closeImage("main", disk, opened.openId(), null);
    return opened.format();
  }

  private static byte[] content(String image) throws Exception {
    try (ImageData data = client.downloadImage("main", image, DownloadRequest.WHOLE)) {
      return data.content().readAllBytes();
    }
  }

  private static void assertZerosBehindTheKnown(String image, int size) throws Exception {
    byte[] content = content(image);
    assertThat(content).hasSize(size);
    assertThat(Arrays.copyOf(content, KNOWN)).containsOnly(7);
    assertThat(IntStream.range(KNOWN, size).filter(at -> content[at] != 0).findFirst()).isEmpty();
  }
}
