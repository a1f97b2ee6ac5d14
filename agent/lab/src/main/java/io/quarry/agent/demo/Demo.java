package io.quarry.agent.demo;

import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.data.process.ToolLimits;
import io.quarry.agent.demo.CompareImages.Subject;
import io.quarry.agent.demo.DemoImages.Images;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/**
 * The demo's acts in their order. The caller must close the demo in any case; another thread may.
 */
public final class Demo implements AutoCloseable {
  /** The source, the disk, its copy, and a copy begun anew. */
  private static final int COPIES = 4;

  private static final long SPARE_BYTES = 1L << 30;
  private static final Duration CHILDREN_END_MAX = Duration.ofSeconds(5);

  private final DemoOptions options;
  private final Audience audience;
  private final Timeline timeline;
  private final Children children = new Children(new Spawner(), "demo");
  private @Nullable WorkPlace place;
  private @Nullable Cluster cluster;
  private boolean closed;

  public Demo(DemoOptions options, Audience audience) {
    this.options = options;
    this.audience = audience;
    this.timeline = new Timeline(System::nanoTime, audience);
  }

  /** Runs all acts; returns only if every comparison held. */
  public DemoReport run() throws IOException, InterruptedException, DemoFailure {
    WorkPlace here = preparePlace();
    DemoTools tools = new DemoTools(children);
    Path directory = here.directory();
    audience.progress("making a disk of this machine's files, starting the cluster", null);
    CompletableFuture<Cluster> starting =
        CompletableFuture.supplyAsync(() -> startCluster(directory), Thread.ofVirtual()::start);
    RealDisk source = source(tools, directory);
    timeline.add(
        "made a disk image: %s of %s are data"
            .formatted(
                DemoFigures.mebibytes(source.dataBytes()), DemoFigures.mebibytes(source.size())));
    Cluster running = join(starting);
    timeline.add("started ZooKeeper and " + running.members().size() + " agents");

    Scene scene = Scene.of(running, directory, timeline, audience);
    DemoHosts hosts = new DemoHosts(scene);
    hosts.connectAll();
    timeline.add("connected two repositories on every host");
    Images images = new DemoImages(scene, tools, source).make();
    List<Duration> commits = new CommitLatency(scene).measure(images.snapshot());
    timeline.add("measured " + commits.size() + " commits");
    CopyUnderFire.Result copied = new CopyUnderFire(scene, hosts, source).copy(images.snapshot());
    int compared = compare(scene, tools, source, images, copied.imageId());
    remove(scene, images, copied.imageId());
    return new DemoReport(
        timeline.events(),
        copied.takeovers(),
        copied.sdmFailover(),
        source.size(),
        source.dataBytes(),
        compared,
        copied.takeovers().stream().mapToLong(Takeover::bytesCopiedTwice).sum(),
        commits.size(),
        Percentile.of(commits, 50),
        Percentile.of(commits, 99),
        timeline.sinceBegin());
  }

  private RealDisk source(DemoTools tools, Path directory)
      throws IOException, InterruptedException, DemoFailure {
    return options.image() == null
        ? RealDisk.build(tools, directory, RealFiles.usualPlaces())
        : RealDisk.of(tools, directory, options.image());
  }

  private int compare(Scene scene, DemoTools tools, RealDisk source, Images images, String copy)
      throws IOException, InterruptedException, DemoFailure {
    CompareImages comparison = new CompareImages(scene, tools, source);
    List<Subject> subjects = new ArrayList<>();
    subjects.add(new Subject("the snapshot", Scene.MAIN, images.snapshot()));
    subjects.add(new Subject("the disk", Scene.MAIN, images.disk()));
    images.thinDisks().forEach(thin -> subjects.add(new Subject("a thin disk", Scene.MAIN, thin)));
    subjects.add(new Subject("the copy", Scene.BACKUP, copy));
    comparison.compareAll(subjects);
    timeline.add(
        "%d images are equal to their source, SHA-256 %s"
            .formatted(subjects.size(), comparison.expected()));
    return subjects.size();
  }

  private void remove(Scene scene, Images images, String copy)
      throws IOException, InterruptedException, DemoFailure {
    RemoveImages removal = new RemoveImages(scene);
    removal.remove(Scene.MAIN, images.all());
    removal.remove(Scene.BACKUP, List.of(copy));
    timeline.add("removed every image");
    for (String repoId : Scene.REPOSITORIES) {
      removal.cleanUntilNothingIsLeft(repoId);
    }
    timeline.add("nothing is left to fix, and no file of what was removed");
  }

  private synchronized WorkPlace preparePlace()
      throws IOException, InterruptedException, DemoFailure {
    WorkPlace prepared = WorkPlace.prepare(options.directory());
    place = prepared;
    prepared.checkFreeSpace(COPIES * dataBytes() + SPARE_BYTES);
    return prepared;
  }

  private long dataBytes() throws IOException, InterruptedException, DemoFailure {
    Path image = options.image();
    if (image == null) {
      return RealDisk.DATA_BYTES;
    }
    if (!Files.isRegularFile(image)) {
      throw new DemoFailure(image + " is not a file", "Name a raw or qcow2 image with --image.");
    }
    return new DemoTools(children)
        .qemuImg()
        .limited(ToolLimits.INSPECTION)
        .info(image, RealDisk.formatOf(image))
        .allocatedBytes();
  }

  private Cluster startCluster(Path directory) {
    try {
      Cluster started = LocalMembers.start(directory, options.hosts());
      synchronized (this) {
        if (!closed) {
          cluster = started;
          return started;
        }
      }
      started.close();
      throw new IllegalStateException("the demo was ended");
    } catch (IOException e) {
      throw new CompletionException(e);
    }
  }

  private static Cluster join(CompletableFuture<Cluster> starting) throws IOException, DemoFailure {
    try {
      return starting.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof IOException failure) {
        throw failure;
      }
      throw new DemoFailure("The cluster does not start: " + e.getCause());
    }
  }

  /** Ends all running processes and removes the demo's files. */
  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
      if (cluster != null) {
        cluster.close();
      }
      try {
        children.stopAll(CHILDREN_END_MAX);
        if (place != null && !options.keep()) {
          place.clean();
        }
      } catch (IOException e) {
        audience.progress("cannot clean up: " + e.getMessage(), null);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
