package io.quarry.it.clvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.it.box.Box;
import io.quarry.it.box.Copying;
import io.quarry.it.box.FixQueries;
import io.quarry.it.vm.Lab;
import io.quarry.it.vm.LabAgent;
import io.quarry.it.vm.LabAgents;
import io.quarry.it.vm.LabExtension;
import io.quarry.it.vm.SharedDisk;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Whole agents on two machines share repositories of the format clvm-1.2. */
@ExtendWith(LabExtension.class)
@Timeout(900)
final class AgentsLab {
  private static final long MIB = 1L << 20;
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  /** Each call, each tool and each guest is on the other host than the one before. */
  @Test
  void hostsTakeTurnsAtAChainOfImages(Lab lab) throws Exception {
    LabAgents agents = lab.agents();
    LabAgent a = agents.on("a");
    LabAgent b = agents.on("b");
    b.vm().run("modprobe dm-mod");
    makeVolumes(a);
    a.create("story", "clvm-1.2", "vg=storage", "chunk=64M");
    String disk = Box.disk(a.client(), "story", 64 * MIB).imageId();
    Box.awaitOptimized(b.client(), "story", disk);
    b.use("story", disk, "write -P 1 0 8M", "write -P 2 32M 4M");
    String first = Box.snapshot(a.client(), "story", disk).imageId();
    Box.awaitOptimized(b.client(), "story", disk);
    String firstSum = b.sha256("story", first);
    a.use("story", disk, "write -P 3 4M 8M");
    String second = Box.snapshot(b.client(), "story", disk).imageId();
    Box.awaitOptimized(a.client(), "story", disk);
    b.use("story", disk, "write -P 4 40M 1M");
    String secondSum = a.sha256("story", second);
    String diskSum = a.sha256("story", disk);
    assertThat(diskSum).isNotEqualTo(secondSum).isNotEqualTo(firstSum);
    growUnderAWriter(agents);
    copyBetweenFormats(agents, first, firstSum);
    assertThat(b.sha256("story", second)).isEqualTo(secondSum);
    assertThat(a.sha256("story", disk)).isEqualTo(diskSum);
    assertSound(b, "story");
    await().atMost(PATIENCE).until(() -> devices(a) + devices(b) == 0);
  }

  /** Devices go when no user needs them. */
  private static int devices(LabAgent agent) throws Exception {
    return Integer.parseInt(agent.vm().run("dmsetup ls | grep -c ^quarry || true"));
  }

  /** Between a volume group and a directory of a file server, in both directions. */
  private static void copyBetweenFormats(LabAgents agents, String snapshot, String sum)
      throws Exception {
    LabAgent a = agents.on("a");
    LabAgent b = agents.on("b");
    agents.connect("files");
    String there = Copying.copy(a.client(), "files", snapshot, ImageOptions.DEFAULT).imageId();
    Box.awaitOptimized(b.client(), "files", there);
    assertThat(b.sha256("files", there)).isEqualTo(sum);
    a.client().removeImage("story", snapshot, RemoveImageOptions.DEFAULT, null);
    FixQueries.runAll(b.client(), "story");
    String back = Copying.copy(b.client(), "story", there, ImageOptions.DEFAULT).imageId();
    Box.awaitOptimized(a.client(), "story", back);
    assertThat(a.sha256("story", back)).isEqualTo(sum);
  }

  /** The disk is larger than its first chunk, and qemu-io sees no full device. */
  private static void growUnderAWriter(LabAgents agents) throws Exception {
    LabAgent a = agents.on("a");
    String disk = Box.disk(a.client(), "story", 512 * MIB).imageId();
    Box.awaitOptimized(a.client(), "story", disk);
    for (int i = 0; i < 10; i++) {
      a.use("story", disk, "write -P %d %dM 24M".formatted(i + 1, 32 * i));
    }
    for (int i = 0; i < 10; i++) {
      agents.on("b").use("story", disk, "read -P %d %dM 24M".formatted(i + 1, 32 * i));
    }
    agents.on("b").client().removeImage("story", disk, RemoveImageOptions.DEFAULT, null);
  }

  static void makeVolumes(LabAgent host) throws Exception {
    host.vm()
        .run(
            """
            modprobe dm-mod
            export DM_DISABLE_UDEV=1
            vgcreate -qq storage %s
            lvcreate -qq -L 1400M -n quarry-meta storage
            lvcreate -qq -l 100%%FREE -n quarry-data storage
            """
                .formatted(SharedDisk.DEVICE));
  }

  private static void assertSound(LabAgent agent, String repoId) {
    FixQueries.runAll(agent.client(), repoId);
    assertThat(agent.client().checkStorageRepository(repoId, CheckOptions.DEFAULT).problems())
        .isEmpty();
  }
}
