package io.quarry.it.agents;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.FixInfo;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.StorageException;
import io.quarry.it.box.Box;
import io.quarry.it.box.Copying;
import io.quarry.it.box.FixQueries;
import io.quarry.it.box.QemuGuest;
import io.quarry.it.vm.Lab;
import io.quarry.it.vm.LabAgent;
import io.quarry.it.vm.LabAgents;
import io.quarry.it.vm.LabExtension;
import java.time.Duration;
import java.util.Map;
import java.util.NoSuchElementException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** The file server is full, limits a group, forgets its exports, or starts again. */
@ExtendWith(LabExtension.class)
@Timeout(900)
@SuppressWarnings("SystemOut")
final class ServerTroubleLab {
  private static final long MIB = 1L << 20;
  private static final int GROUP = 4711;
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  @Test
  void fullServerRefusesChangesUntilItHasSpace(Lab lab) throws Exception {
    LabAgents agents = lab.agents();
    agents.connect("full");
    LabAgent a = agents.on("a");
    LabAgent b = agents.on("b");
    String disk = Box.disk(a.client(), "full", 8 * MIB).imageId();
    Box.awaitOptimized(a.client(), "full", disk);
    lab.nfs().fill();
    try {
      for (LabAgent agent : agents.all()) {
        StorageException refusal =
            catchThrowableOfType(
                StorageException.class, () -> Box.disk(agent.client(), "full", 8 * MIB));
        assertThat(refusal.code()).isEqualTo(ErrorCode.NO_SPACE);
      }
      b.client().removeImage("full", disk, RemoveImageOptions.DEFAULT, null);
    } finally {
      lab.nfs().free();
    }
    await()
        .atMost(PATIENCE)
        .ignoreExceptionsInstanceOf(StorageException.class)
        .untilAsserted(() ->
            assertThat(
                    Box.awaitOptimized(
                        b.client(), "full", Box.disk(a.client(), "full", MIB).imageId()))
                .isNotNull());
    assertSound(b, "full");
  }

  @Test
  void quotaStopsACopyAndTheCopyGoesOnWithoutIt(Lab lab) throws Exception {
    LabAgents agents = lab.agents();
    agents.connect("free");
    agents.connect("limited", Map.of("group", Integer.toString(GROUP)));
    LabAgent a = agents.on("a");
    LabAgent b = agents.on("b");
    String disk = Box.disk(a.client(), "free", 32 * MIB).imageId();
    Box.awaitOptimized(a.client(), "free", disk);
    a.use("free", disk, "write -P 3 0 24M");
    String expected = a.sha256("free", disk);
    String copy;
    lab.nfs().limitGroup(GROUP, 8 * MIB);
    try {
      copy = Copying.copy(b.client(), "limited", disk, ImageOptions.DEFAULT).imageId();
      FixInfo failed =
          await()
              .atMost(PATIENCE)
              .ignoreExceptionsInstanceOf(NoSuchElementException.class)
              .until(
                  () -> FixQueries.listed(b.client(), "limited", copy),
                  fix -> fix.lastError() != null);
      System.out.println(failed);
      assertThat(failed.lastError()).contains("Disk quota exceeded");
    } finally {
      lab.nfs().limitGroup(GROUP, -1);
    }
    Box.awaitOptimized(a.client(), "limited", copy);
    assertThat(a.sha256("limited", copy)).isEqualTo(expected);
    assertThat(b.sha256("limited", copy)).isEqualTo(expected);
    assertSound(a, "limited");
  }

  @Test
  void exportThatIsWithdrawnAndRestoredLosesNothing(Lab lab) throws Exception {
    LabAgents agents = lab.agents();
    agents.connect("withdrawn");
    LabAgent a = agents.on("a");
    LabAgent b = agents.on("b");
    String disk = Box.disk(a.client(), "withdrawn", 8 * MIB).imageId();
    Box.awaitOptimized(a.client(), "withdrawn", disk);
    a.use("withdrawn", disk, "write -P 5 0 4M");
    String expected = b.sha256("withdrawn", disk);
    lab.nfs().withdraw();
    try {
      for (LabAgent agent : agents.all()) {
        StorageException refusal =
            catchThrowableOfType(
                StorageException.class, () -> Box.disk(agent.client(), "withdrawn", MIB));
        System.out.println(refusal.code() + ": " + refusal.getMessage() + "; " + refusal.remedy());
        assertThat(refusal).hasMessageContaining("withdrawn");
      }
    } finally {
      lab.nfs().restore();
    }
    await()
        .atMost(PATIENCE)
        .ignoreExceptionsInstanceOf(StorageException.class)
        .until(() -> Box.disk(b.client(), "withdrawn", MIB) != null);
    await()
        .atMost(PATIENCE)
        .ignoreExceptionsInstanceOf(StorageException.class)
        .until(() -> a.sha256("withdrawn", disk).equals(expected));
    assertSound(a, "withdrawn");
    assertSound(b, "withdrawn");
  }

  /**
   * What QEMU has locked stays locked when the server starts again. Two processes may share a raw
   * image, but no qcow2 image.
   */
  @Test
  void lockOutlivesARestartOfTheServer(Lab lab) throws Exception {
    LabAgents agents = lab.agents();
    agents.connect("locked");
    LabAgent a = agents.on("a");
    LabAgent b = agents.on("b");
    String disk = Box.disk(a.client(), "locked", 8 * MIB).imageId();
    Box.awaitOptimized(a.client(), "locked", disk);
    Box.snapshot(a.client(), "locked", disk);
    Box.awaitOptimized(a.client(), "locked", disk);
    OpenedImage opened =
        a.client().openImage("locked", disk, new OpenRequest(false, "guest"), null);
    String image = QemuGuest.name(opened);
    a.vm()
        .run(
            "{ sleep infinity | qemu-io '%s'; } >/run/holder.out 2>&1 </dev/null &"
                .formatted(image));
    String locked = "grep \":$(stat -c %i " + opened.path() + ") \" /proc/locks";
    await().atMost(PATIENCE).until(() -> a.vm().succeeds(locked));
    String write = "qemu-io -c 'write 0 1M' '" + image + "' 2>&1";
    assertThat(b.vm().run(write + " || true")).contains("Failed to get", "lock");
    lab.nfs().cutPower();
    assertThat(b.vm().run(write + " || true")).contains("Failed to get", "lock");
    a.vm().run("pkill sleep");
    await().atMost(PATIENCE).until(() -> b.vm().succeeds(write + " | grep -q ops"));
    a.client().closeImage("locked", disk, opened.openId(), null);
  }

  private static void assertSound(LabAgent agent, String repoId) {
    FixQueries.runAll(agent.client(), repoId);
    assertThat(agent.client().checkStorageRepository(repoId, CheckOptions.DEFAULT).problems())
        .isEmpty();
  }
}
