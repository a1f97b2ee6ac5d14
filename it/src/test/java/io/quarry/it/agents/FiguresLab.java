package io.quarry.it.agents;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.client.StorageClient;
import io.quarry.it.bench.Samples;
import io.quarry.it.box.Box;
import io.quarry.it.box.Copying;
import io.quarry.it.vm.GuestJava;
import io.quarry.it.vm.Lab;
import io.quarry.it.vm.LabAgent;
import io.quarry.it.vm.LabAgents;
import io.quarry.it.vm.LabExtension;
import io.quarry.it.vm.LabVm;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Figures of repositories on NFS, next to what the mount itself can do. */
@ExtendWith(LabExtension.class)
@Timeout(900)
@SuppressWarnings("SystemOut")
final class FiguresLab {
  private static final int COMMITS = 200;
  private static final int SEEN = 100;
  private static final long POLL_MILLIS = 5;
  private static final long SIZE = 64L << 20;

  @Test
  void commitsNextToTheStepsThatNoneCanAvoid(Lab lab) throws Exception {
    lab.nfs().makeDirectories("figures");
    LabVm host = lab.host("a");
    String mount = lab.nfs().mount(host, "vers=4.2,lookupcache=positive");
    GuestJava measured =
        host.java(DirectoryLatency.class, mount + "/figures", Integer.toString(COMMITS));
    measured.awaitSuccess();
    for (String what : List.of("BARE", "COMMIT")) {
      List<String> found = measured.lines(what);
      assertThat(found).hasSize(1);
      System.out.printf("%s: p50 and p99 in ms: %s%n", what, found.getFirst());
    }
  }

  /** From the answer of one host to the moment when another host shows the commit. */
  @Test
  void delayUntilTheOtherHostSeesACommit(Lab lab) throws Exception {
    LabAgents agents = lab.agents();
    agents.connect("seen");
    StorageClient maker = agents.on("a").client();
    StorageClient other = agents.on("b").client();
    long[] nanos = new long[SEEN];
    for (int i = 0; i < SEEN; i++) {
      long commit = Box.disk(maker, "seen", 1 << 20).commit();
      long answered = System.nanoTime();
      while (other.getStorageRepository("seen").commit() < commit) {
        Thread.sleep(POLL_MILLIS);
      }
      nanos[i] = System.nanoTime() - answered;
    }
    Samples samples = Samples.of(nanos);
    System.out.printf(
        "another host sees a commit after: p50 %.0f ms, p99 %.0f ms%n",
        samples.millis(0.5), samples.millis(0.99));
  }

  /**
   * Copies within one export, of a raw disk and of an overlay. On 4.2 the server shares the blocks.
   * On 4.1 the agent reads them, but for the holes that QEMU shows.
   */
  @ParameterizedTest
  @ValueSource(strings = {"4.2", "4.1"})
  void copiesInsideAnExport(String version, Lab lab) throws Exception {
    LabAgents agents = lab.agents();
    String repoId = "copies" + version.replace(".", "");
    agents.connect(repoId, Map.of("options", "vers=" + version));
    LabAgent a = agents.on("a");
    String disk = Box.disk(a.client(), repoId, SIZE).imageId();
    Box.awaitOptimized(a.client(), repoId, disk);
    a.use(repoId, disk, "write -P 1 0 24M");
    copy(agents, repoId, disk, version + ", raw");
    Box.snapshot(a.client(), repoId, disk);
    Box.awaitOptimized(a.client(), repoId, disk);
    a.use(repoId, disk, "write -P 2 32M 8M");
    copy(agents, repoId, disk, version + ", overlay");
  }

  private static void copy(LabAgents agents, String repoId, String source, String what)
      throws IOException, InterruptedException {
    LabAgent a = agents.on("a");
    long begun = System.nanoTime();
    String copy = Copying.copy(a.client(), repoId, source, ImageOptions.DEFAULT).imageId();
    Box.awaitOptimized(a.client(), repoId, copy);
    double seconds = (System.nanoTime() - begun) / 1e9;
    Map<String, Long> figures = figures(agents, copyOf(a, repoId, copy));
    System.out.printf("vers=%s: %.1f s, %s%n", what, seconds, figures);
    assertThat(a.sha256(repoId, copy)).isEqualTo(agents.on("b").sha256(repoId, source));
    if (what.startsWith("4.2")) {
      assertThat(figures.get("cloned")).isPositive();
    } else {
      assertThat(figures).containsEntry("cloned", 0L);
    }
  }

  /** The file of a copy, without its directory. */
  private static String copyOf(LabAgent agent, String repoId, String imageId) {
    OpenRequest reading = new OpenRequest(true, "figures");
    OpenedImage opened = agent.client().openImage(repoId, imageId, reading, null);
    agent.client().closeImage(repoId, imageId, opened.openId(), null);
    return String.valueOf(Path.of(opened.path()).getFileName());
  }

  /** The bytes of a copy by what was done with them, from the log of the host that made it. */
  private static Map<String, Long> figures(LabAgents agents, String file)
      throws IOException, InterruptedException {
    Map<String, Long> found = new TreeMap<>();
    Pattern copied = Pattern.compile(Pattern.quote(file) + ": CopyFigures\\[.*]");
    Pattern figure = Pattern.compile("(\\w+)=(\\d+)");
    for (LabAgent agent : agents.all()) {
      Matcher line = copied.matcher(agent.log());
      while (line.find()) {
        Matcher each = figure.matcher(line.group());
        while (each.find()) {
          found.put(each.group(1), Long.parseLong(each.group(2)));
        }
      }
    }
    assertThat(found).as("figures of %s", file).isNotEmpty();
    return found;
  }
}
