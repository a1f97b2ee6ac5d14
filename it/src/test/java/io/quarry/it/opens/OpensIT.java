package io.quarry.it.opens;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.agent.dev.LocalHost;
import io.quarry.common.api.BeginUploadRequest;
import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.CloseOpensRequest;
import io.quarry.common.api.ClosedOpens;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Event;
import io.quarry.common.api.EventStream;
import io.quarry.common.api.OpenInfo;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.Problem;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.UploadInfo;
import io.quarry.common.api.UploadRange;
import io.quarry.common.client.ClientSettings;
import io.quarry.common.client.StorageClient;
import io.quarry.it.box.Box;
import java.io.ByteArrayInputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** 12.26 and 12.9: hosts that reboot, hosts that are cloned, uploads that are forgotten. */
@Timeout(300)
final class OpensIT {
  private static final int SIZE = 1 << 20;
  private static final String BOOT = "boot-id";

  @TempDir static Path directory;

  private static Box box;

  private String repoId;

  @BeforeAll
  static void start() throws Exception {
    box =
        Box.start(
            LocalClusterOptions.in(directory)
                .withHosts(2)
                .withSessionTimeout(Duration.ofSeconds(3)));
  }

  @AfterAll
  static void stop() {
    if (box != null) {
      box.close();
    }
  }

  @BeforeEach
  void nameRepository() {
    repoId = box.newName();
  }

  /** A rebooted host kept its opens for ever; check reported none, and fence was refused. */
  @Test
  void rebootEndsWhatTheHostHadOpenAndNothingElse() throws Exception {
    String rebooting = prepare();
    OpenedImage other = open(box.client(0), disk(), "on-the-other-host");
    UploadInfo upload = box.client(1).beginUpload(repoId, disk(), BeginUploadRequest.RAW, null);
    String disk = disk();
    OpenedImage before = open(box.client(1), disk, "before");
    try (var file = new RandomAccessFile(before.path(), "rw")) {
      file.setLength(2 * SIZE);
    }
    assertThat(box.client(0).getOpen(repoId, before.openId(), 0).bootId())
        .isEqualTo(bootNow(box.host(1)));

    try (EventStream events = box.client(0).watchEvents(null)) {
      assertThat(events.next(Box.PATIENCE)).isInstanceOf(Event.Start.class);
      reboot(box.host(1));
      assertThat(operation(events, "endDeadOpens").id()).isEqualTo(rebooting);
    }
    await()
        .atMost(Box.PATIENCE)
        .untilAsserted(() -> assertThat(openIds()).doesNotContain(before.openId()));
    // 20.4: the disk's VM had enlarged the disk.
    assertThat(box.client(0).getImage(repoId, disk, 0).size()).isEqualTo(2 * SIZE);
    OpenedImage now = open(box.client(1), disk, "now");
    assertThat(openIds())
        .containsExactlyInAnyOrder(other.openId(), upload.uploadId(), now.openId());
    assertThat(box.client(0).listOpens(repoId, rebooting, 0))
        .filteredOn(open -> open.use() == OpenInfo.Use.MACHINE)
        .singleElement()
        .satisfies(open -> {
          assertThat(open.bootId()).isEqualTo(boot(box.host(1)));
          assertThat(open.state()).isEqualTo(OpenInfo.State.IN_USE);
        });
    assertThat(staleOpens()).isEmpty();

    // The same kernel with another agent: its VMs may still run.
    box.host(1).killHost();
    start(box.host(1));
    OpenedImage marker = open(box.client(1), disk(), "marker");
    assertThat(openIds()).contains(now.openId(), marker.openId());
    assertThat(staleOpens()).isEmpty();
  }

  /**
   * A clone has the host's name, but not its key: it proves nothing, until an administrator
   * confirms the death.
   */
  @Test
  void cloneEndsNothingAndIsNamed() throws Exception {
    String cloned = prepare();
    OpenedImage original = open(box.client(1), disk(), "original");
    OpenedImage other = open(box.client(0), disk(), "on-the-other-host");
    box.host(1).killHost();
    Files.delete(box.host(1).stateDirectory().resolve("host-key"));
    reboot(box.host(1));
    OpenedImage clones = open(box.client(1), disk(), "of-the-clone");

    assertThat(openIds()).contains(original.openId());
    assertThat(staleOpens())
        .singleElement()
        .satisfies(problem -> {
          assertThat(problem.subject()).isEqualTo(original.openId());
          assertThat(problem.reason()).contains("another machine has that name");
          assertThat(problem.remedy()).contains("quarry open close --host " + cloned + " --dead");
        });
    StorageException alive = refusal(() -> box.client(0).fenceHost(cloned));
    assertThat(alive.remedy()).contains("quarry open close --host " + cloned + " --dead");

    CloseOpensRequest unsure = new CloseOpensRequest(cloned, false, false);
    assertThat(refusal(() -> box.client(0).closeOpens(repoId, unsure, null)).code())
        .isEqualTo(ErrorCode.INVALID_ARGUMENT);
    CloseOpensRequest sure = new CloseOpensRequest(cloned, true, false);
    ClosedOpens closed = box.client(0).closeOpens(repoId, sure, null);
    assertThat(closed.openIds()).containsExactly(original.openId());
    assertThat(closed.kept()).isEqualTo(1);
    assertThat(closed.more()).isFalse();
    assertThat(openIds()).containsExactlyInAnyOrder(other.openId(), clones.openId());
    assertThat(staleOpens()).isEmpty();
  }

  /** R16: the answer had another agent's paths under the first agent's host. */
  @Test
  void repeatedOpenIsAnsweredWithThePathsOfItsHost() throws Exception {
    Path way = directory.resolve("way");
    box.connect(repoId, 0);
    Files.createSymbolicLink(way, box.repository(repoId));
    box.connect(repoId, 1, way);
    box.awaitSdm(repoId, 0, 1);
    String disk = disk();
    OpenRequest request = new OpenRequest(false, "vm");
    OpenedImage first = box.client(1).openImage(repoId, disk, request, "request-1");
    assertThat(first.path()).startsWith(way.toString());
    OpenedImage again = box.client(0).openImage(repoId, disk, request, "request-1");
    assertThat(again).isEqualTo(first);

    String here = box.hostIds().get(0);
    OpenRequest elsewhere = new OpenRequest(false, "vm", here);
    assertThat(refusal(() -> box.client(0).openImage(repoId, disk, elsewhere, "request-1")).code())
        .isEqualTo(ErrorCode.REQUEST_ID_REUSED);
    StorageException wrongAgent =
        refusal(() -> box.client(1).openImage(repoId, disk(), elsewhere, "request-2"));
    assertThat(wrongAgent.code()).isEqualTo(ErrorCode.INVALID_ARGUMENT);
    assertThat(wrongAgent.remedy()).contains(box.host(0).url().toString());
    assertThat(openIds()).containsExactly(first.openId());

    box.host(1).killHost();
    try {
      // The dead host may have been the SDM's, whose successor comes late.
      await()
          .atMost(Box.PATIENCE)
          .untilAsserted(() -> {
            StorageException silent =
                refusal(() -> agent(0).openImage(repoId, disk, request, "request-1"));
            assertThat(silent.code()).isEqualTo(ErrorCode.OUTCOME_UNKNOWN);
            assertThat(silent).hasMessageContaining("it is open on host " + first.hostId());
          });
    } finally {
      start(box.host(1));
    }
  }

  /** 12.9: a forgotten upload blocked its disk for ever. */
  @Test
  void forgottenUploadEndsByItselfAndLeavesNothing(@TempDir Path alone) throws Exception {
    LocalClusterOptions options =
        LocalClusterOptions.in(alone).withAgentConfig(Map.of("uploadIdleTimeout", "PT5S"));
    try (Box impatient = Box.start(options)) {
      impatient.connect(repoId);
      StorageClient client = impatient.client(0);
      String disk = disk(client);
      int files = impatient.volumes(repoId).size();
      UploadInfo upload = client.beginUpload(repoId, disk, BeginUploadRequest.RAW, null);
      byte[] half = new byte[SIZE / 2];
      half[0] = 7;
      client.uploadImage(
          repoId,
          disk,
          upload.uploadId(),
          UploadRange.parse("bytes 0-%d/%d".formatted(half.length - 1, SIZE), false, null),
          new ByteArrayInputStream(half));
      OpenInfo shown = client.getOpen(repoId, upload.uploadId(), 0);
      assertThat(shown.use()).isEqualTo(OpenInfo.Use.UPLOAD);
      OpenInfo.Upload idle = Objects.requireNonNull(shown.upload());
      assertThat(idle.idleTimeout()).isEqualTo(Duration.ofSeconds(5));
      assertThat(idle.activeAt()).isAfterOrEqualTo(shown.since());
      assertThat(idle.endsAt()).isEqualTo(idle.activeAt().plusSeconds(5));

      await()
          .atMost(Box.PATIENCE)
          .untilAsserted(() -> assertThat(client.listOpens(repoId, null, 0)).isEmpty());
      OpenedImage opened = open(client, disk, "vm");
      client.closeImage(repoId, disk, opened.openId(), null);
      await()
          .atMost(Box.PATIENCE)
          .untilAsserted(() -> assertThat(impatient.volumes(repoId)).hasSize(files));
      assertThat(Box.names(impatient.repository(repoId).resolve("fixes"))).isEmpty();
    }
  }

  /** Prepares opens, and returns the host that is to reboot. */
  private String prepare() throws Exception {
    box.connect(repoId);
    box.awaitSdm(repoId, 0, 1);
    return box.hostIds().get(1);
  }

  private static void reboot(LocalHost host) throws Exception {
    host.reboot();
    host.awaitReady(Box.PATIENCE);
  }

  /** The kernel's own boot id, until another test has rebooted the host. */
  private static String bootNow(LocalHost host) throws Exception {
    return Files.exists(host.stateDirectory().resolve(BOOT))
        ? boot(host)
        : Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
  }

  private static String boot(LocalHost host) throws Exception {
    return Files.readString(host.stateDirectory().resolve(BOOT));
  }

  private static void start(LocalHost host) throws Exception {
    host.start();
    host.awaitReady(Box.PATIENCE);
  }

  /** A client that does not retry. */
  private static StorageClient agent(int host) {
    return new StorageClient(
        List.of(box.host(host).url()), ClientSettings.within(Duration.ofSeconds(5)));
  }

  private String disk() {
    return disk(box.client(0));
  }

  private String disk(StorageClient client) {
    String disk = Box.disk(client, repoId, SIZE).imageId();
    Box.awaitOptimized(client, repoId, disk);
    return disk;
  }

  private OpenedImage open(StorageClient client, String disk, String owner) {
    return client.openImage(repoId, disk, new OpenRequest(false, owner), null);
  }

  private List<String> openIds() {
    return box.client(0).listOpens(repoId, null, 0).stream().map(OpenInfo::openId).toList();
  }

  private List<Problem> staleOpens() {
    return box.client(0).checkStorageRepository(repoId, CheckOptions.DEFAULT).problems().stream()
        .filter(problem -> problem.kind() == Problem.Kind.STALE_OPEN)
        .toList();
  }

  private Event.Operation operation(EventStream events, String name) {
    while (true) {
      Event event = Objects.requireNonNull(events.next(Box.PATIENCE));
      if (event instanceof Event.Commit commit && commit.repoId().equals(repoId)) {
        for (Event.Operation operation : commit.operations()) {
          if (operation.operation().equals(name)) {
            return operation;
          }
        }
      }
    }
  }

  private static StorageException refusal(ThrowingCallable call) {
    return Objects.requireNonNull(catchThrowableOfType(StorageException.class, call));
  }
}
