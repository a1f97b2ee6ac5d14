package io.quarry.it.agents;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

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
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Whole agents on two machines share repositories of the format nfs-3.4. */
@ExtendWith(LabExtension.class)
@Timeout(900)
final class ChainLab {
  private static final long MIB = 1L << 20;
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  /** Each call, each tool and each guest is on the other host than the one before. */
  @Test
  void hostsTakeTurnsAtAChainOfImages(Lab lab) throws Exception {
    LabAgents agents = lab.agents();
    LabAgent a = agents.on("a");
    LabAgent b = agents.on("b");
    connect(lab, a, "story");
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

  /** As an operator does; mounting may take longer than the command waits. */
  private static void connect(Lab lab, LabAgent agent, String repoId) throws Exception {
    lab.nfs().makeDirectories(repoId);
    String[] command = {
      "repo",
      "create",
      repoId,
      "--format",
      "nfs-3.4",
      "--param",
      "server=" + LabAgent.FILE_SERVER,
      "--param",
      "export=/" + repoId,
      "--on",
      "all"
    };
    await()
        .atMost(PATIENCE)
        .until(
            () -> agent.quarry(command),
            said -> {
              assertThat(said.exitCode() == 0 || said.output().contains("OUTCOME_UNKNOWN"))
                  .as(said.output())
                  .isTrue();
              return said.exitCode() == 0;
            });
    assertThat(agent.client().listHosts())
        .allSatisfy(host ->
            assertThat(host.repositories())
                .anyMatch(repository -> repository.repoId().equals(repoId)));
  }

  private static String copy(StorageClient client, String source, @Nullable String base) {
    CopyImageRequest request =
        new CopyImageRequest(
            source, base, JsonNodeFactory.instance.objectNode(), ImageOptions.DEFAULT);
    return client.copyImage("target", request, null).imageId();
  }
}
