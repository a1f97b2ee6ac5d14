package io.quarry.it.agents;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.common.api.CopyImageRequest;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.client.StorageClient;
import io.quarry.it.box.Box;
import io.quarry.it.box.FixQueries;
import io.quarry.it.vm.Lab;
import io.quarry.it.vm.LabAgent;
import io.quarry.it.vm.LabAgents;
import io.quarry.it.vm.LabExtension;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Whole agents on two machines share repositories of the format nfs-3.4. */
@ExtendWith(LabExtension.class)
@Timeout(900)
final class ChainLab {
  private static final long MIB = 1L << 20;

  /** Each call, each tool and each guest is on the other host than the one before. */
  @Test
  void hostsTakeTurnsAtAChainOfImages(Lab lab) throws Exception {
    LabAgents agents = lab.agents();
    LabAgent a = agents.on("a");
    LabAgent b = agents.on("b");
    lab.nfs().makeDirectories("story");
    a.create("story", "nfs-3.4", "server=" + LabAgent.FILE_SERVER, "export=/story");
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

    agents.connect("target");
    String copy = copy(a.client(), first, null);
    Box.awaitOptimized(b.client(), "target", copy);
    assertThat(b.sha256("target", copy)).isEqualTo(firstSum);
    String difference = copy(b.client(), second, copy);
    Box.awaitOptimized(a.client(), "target", difference);
    assertThat(a.sha256("target", difference)).isEqualTo(secondSum);

    a.client().removeImage("story", first, RemoveImageOptions.DEFAULT, null);
    FixQueries.runAll(b.client(), "story");
    assertThat(b.sha256("story", second)).isEqualTo(secondSum);
    assertThat(a.sha256("story", disk)).isEqualTo(diskSum);
  }

  private static String copy(StorageClient client, String source, @Nullable String base) {
    CopyImageRequest request =
        new CopyImageRequest(
            source, base, JsonNodeFactory.instance.objectNode(), ImageOptions.DEFAULT);
    return client.copyImage("target", request, null).imageId();
  }
}
