package io.quarry.agent.data.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.agent.data.DiskImages;
import io.quarry.agent.data.Tools;
import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.data.qemu.Chain;
import io.quarry.common.model.VolumeFormat;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class NbdTest {
  private static final int MIB = 1 << 20;

  @TempDir Path dir;

  private final Children children = new Children(new Spawner(), "test");
  private final Tools tools = new Tools(children);

  @AfterEach
  void stop() throws Exception {
    children.stopAll(Duration.ofSeconds(20));
  }

  @Test
  void readsAtOddOffsetsGiveWhatTheFileHas() throws Exception {
    Path raw = DiskImages.random(dir.resolve("disk.raw"), 8 * MIB, 11);
    byte[] expected = Files.readAllBytes(raw);
    try (QemuNbd server = serve(ServedImage.readOnly(Chain.of(raw, VolumeFormat.RAW)));
        Arena arena = Arena.ofShared()) {
      NbdClient client = server.client();
      assertThat(client.size()).isEqualTo(8 * MIB);
      assertThat(client.isReadOnly()).isTrue();
      Random random = new Random(12);
      for (int i = 0; i < 200; i++) {
        int offset = random.nextInt(8 * MIB - 1);
        int length = 1 + random.nextInt(Math.min(8 * MIB - offset, 300_000));
        MemorySegment into = arena.allocate(length);
        into.fill((byte) 0x55);
        client.read(offset, into);
        assertThat(into.mismatch(MemorySegment.ofArray(expected).asSlice(offset, length)))
            .as("%d bytes at %d", length, offset)
            .isEqualTo(-1);
      }
    }
  }

  @Test
  void readerKeepsNoWriterOut() throws Exception {
    Chain chain = tools.chain(tools.chainOfThree(dir, 16 * MIB, 16 * MIB, 3));
    try (QemuNbd first = serve(ServedImage.readOnly(chain));
        // The writer holds QEMU's locks, as a VM does.
        QemuNbd writer = serve(ServedImage.writable(chain));
        QemuNbd second = serve(ServedImage.readOnly(chain))) {
      assertThat(List.of(first.client().isReadOnly(), second.client().isReadOnly()))
          .containsOnly(true);
      assertThat(writer.client().isReadOnly()).isFalse();
    }
  }

  @Test
  void manyRequestsInFlightDoNotMixUp() throws Exception {
    Path top = tools.chainOfThree(dir, 16 * MIB, 16 * MIB, 3);
    Path flat = dir.resolve("flat.raw");
    tools.run("qemu-img", "convert", "-f", "qcow2", "-O", "raw", top.toString(), flat.toString());
    byte[] expected = Files.readAllBytes(flat);
    try (QemuNbd server = serve(ServedImage.readOnly(tools.chain(top)));
        ExecutorService threads = Executors.newFixedThreadPool(40)) {
      List<Future<Long>> reads = new ArrayList<>();
      for (int i = 0; i < 400; i++) {
        int offset = i * 40_007 % (16 * MIB - 50_000);
        reads.add(
            threads.submit(() -> {
              try (Arena arena = Arena.ofShared()) {
                MemorySegment into = arena.allocate(50_000);
                server.client().read(offset, into);
                return into.mismatch(MemorySegment.ofArray(expected).asSlice(offset, 50_000));
              }
            }));
      }
      for (Future<Long> read : reads) {
        assertThat(read.get()).isEqualTo(-1);
      }
    }
  }

  @Test
  void blockStatusTellsZerosAndDepthsOfAChain() throws Exception {
    Path top = tools.chainOfThree(dir, 8 * MIB, 10 * MIB, 5);
    try (QemuNbd server = serve(ServedImage.readOnly(tools.chain(top)))) {
      List<BlockStatus> depths = all(server.client(), BlockStatus.DEPTH);
      assertThat(at(depths, 130 * 1024)).isEqualTo(1);
      assertThat(at(depths, 300 * 1024)).isEqualTo(2);
      assertThat(at(depths, MIB)).isEqualTo(2);
      assertThat(at(depths, 5 * MIB)).isEqualTo(3);
      List<BlockStatus> allocation = all(server.client(), BlockStatus.ALLOCATION);
      assertThat(at(allocation, 2 * MIB) & BlockStatus.ZERO).isNotZero();
      assertThat(at(allocation, 3200 * 1024) & BlockStatus.ZERO).isNotZero();
      assertThat(at(allocation, 9 * MIB) & BlockStatus.ZERO).isNotZero();
      assertThat(at(allocation, 300 * 1024) & BlockStatus.ZERO).isZero();
    }
    try (QemuNbd server = serve(ServedImage.readOnly(Chain.of(top, VolumeFormat.QCOW2)))) {
      List<BlockStatus> depths = all(server.client(), BlockStatus.DEPTH);
      assertThat(at(depths, 130 * 1024)).isEqualTo(1);
      assertThat(at(depths, 300 * 1024)).isEqualTo(0);
    }
  }

  @Test
  void writesZeroesAndFlushReachTheImage() throws Exception {
    Path image = dir.resolve("disk.qcow2");
    tools.run("qemu-img", "create", "-q", "-f", "qcow2", image.toString(), "64M");
    tools.io(image, "qcow2", "write -P 1 0 4M");
    try (QemuNbd server = serve(ServedImage.writable(Chain.of(image, VolumeFormat.QCOW2)));
        Arena arena = Arena.ofShared()) {
      assertThat(server.client().isReadOnly()).isFalse();
      MemorySegment data = arena.allocate(40 * MIB).fill((byte) 7);
      server.client().write(5 * MIB, data);
      server.client().writeZeroes(MIB, 2 * MIB);
      server.client().flush();
    }
    tools.io(
        image,
        "qcow2",
        "read -P 1 0 1M",
        "read -P 0 1M 2M",
        "read -P 1 3M 1M",
        "read -P 0 4M 1M",
        "read -P 7 5M 40M",
        "read -P 0 45M 19M");
    tools.run("qemu-img", "check", "-q", "-f", "qcow2", image.toString());
  }

  @Test
  void cacheReadsOnBehalfOfTheServer() throws Exception {
    Path raw = DiskImages.random(dir.resolve("disk.raw"), 40 * MIB, 6);
    try (QemuNbd server = serve(ServedImage.writable(Chain.of(raw, VolumeFormat.RAW)))) {
      server.client().cache(0, 40 * MIB);
    }
  }

  @Test
  void aRefusedRequestIsAnErrorOfItsOwn() throws Exception {
    Path raw = DiskImages.random(dir.resolve("disk.raw"), MIB, 6);
    try (QemuNbd server = serve(ServedImage.readOnly(Chain.of(raw, VolumeFormat.RAW)));
        Arena arena = Arena.ofShared()) {
      MemorySegment memory = arena.allocate(512);
      assertThatThrownBy(() -> server.client().write(0, memory)).isInstanceOf(IOException.class);
      assertThatThrownBy(() -> server.client().read(MIB, memory)).isInstanceOf(IOException.class);
      server.client().read(0, memory);
    }
  }

  @Test
  void aKilledServerFailsAllRequestsAtOnce() throws Exception {
    Path raw = DiskImages.random(dir.resolve("disk.raw"), 32 * MIB, 6);
    try (QemuNbd server = serve(ServedImage.readOnly(Chain.of(raw, VolumeFormat.RAW)));
        ExecutorService threads = Executors.newFixedThreadPool(8)) {
      List<Future<?>> readers = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        readers.add(threads.submit(() -> readForEver(server.client())));
      }
      ProcessHandle.of(server.pid()).orElseThrow().destroyForcibly();
      for (Future<?> reader : readers) {
        assertThatThrownBy(reader::get)
            .isInstanceOf(ExecutionException.class)
            .hasCauseInstanceOf(IOException.class);
      }
      assertThatThrownBy(() -> server.client().flush()).isInstanceOf(IOException.class);
    }
  }

  @Test
  void closingFailsRequestsUnderWay() throws Exception {
    Path raw = DiskImages.random(dir.resolve("disk.raw"), 32 * MIB, 6);
    try (QemuNbd server =
            serve(ServedImage.readOnly(Chain.of(raw, VolumeFormat.RAW)).withClients(2));
        ExecutorService threads = Executors.newFixedThreadPool(2)) {
      NbdClient client = server.connect();
      Future<?> reader = threads.submit(() -> readForEver(client));
      client.close();
      assertThatThrownBy(reader::get).hasCauseInstanceOf(IOException.class);
      try (Arena arena = Arena.ofShared()) {
        server.client().read(0, arena.allocate(4096));
      }
    }
  }

  @Test
  void aServerThatCannotOpenItsImageSaysWhy() throws Exception {
    Path raw = DiskImages.hole(dir.resolve("disk.raw"), MIB);
    assertThatThrownBy(() -> serve(ServedImage.readOnly(Chain.of(raw, VolumeFormat.QCOW2))))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("not in qcow2 format");
    assertThat(sockets()).isEmpty();
  }

  @Test
  void aClosedServerIsGoneWithItsSocket() throws Exception {
    Path raw = DiskImages.hole(dir.resolve("disk.raw"), MIB);
    QemuNbd server = serve(ServedImage.readOnly(Chain.of(raw, VolumeFormat.RAW)));
    long pid = server.pid();
    assertThat(sockets()).hasSize(1);
    server.close();
    assertThat(ProcessHandle.of(pid)).isEmpty();
    assertThat(sockets()).isEmpty();
  }

  @Test
  void aSocketPathThatIsTooLongIsRefused() throws Exception {
    Path deep = Files.createDirectories(dir.resolve("d".repeat(120)));
    Path raw = DiskImages.hole(dir.resolve("disk.raw"), MIB);
    assertThatThrownBy(() ->
            QemuNbd.start(children, deep, ServedImage.readOnly(Chain.of(raw, VolumeFormat.RAW))))
        .hasMessageContaining("longer than");
  }

  private QemuNbd serve(ServedImage image) throws IOException, InterruptedException {
    return QemuNbd.start(children, dir, image);
  }

  private Set<Path> sockets() throws IOException {
    try (var files = Files.newDirectoryStream(dir, "nbd-*")) {
      Set<Path> found = new HashSet<>();
      files.forEach(found::add);
      return found;
    }
  }

  private static Object readForEver(NbdClient client) throws IOException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment into = arena.allocate(MIB);
      while (true) {
        client.read(0, into);
      }
    }
  }

  private static List<BlockStatus> all(NbdClient client, String context) throws IOException {
    List<BlockStatus> all = new ArrayList<>();
    long at = 0;
    while (at < client.size()) {
      all.addAll(client.blockStatus(at, client.size() - at).get(context));
      at = all.getLast().end();
    }
    return all;
  }

  private static int at(List<BlockStatus> statuses, long offset) {
    return statuses.stream()
        .filter(status -> status.offset() <= offset && offset < status.end())
        .findFirst()
        .orElseThrow()
        .flags();
  }
}
