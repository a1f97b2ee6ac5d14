package io.quarry.it.bench;

import io.quarry.agent.data.os.Folder;
import io.quarry.agent.storage.directory.DirectorySlotStore;
import io.quarry.coordinator.log.Checkpointer;
import io.quarry.coordinator.log.CommitLog;
import io.quarry.coordinator.log.LogReader;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.log.Replica;
import io.quarry.coordinator.sdm.Sdm;
import io.quarry.coordinator.thread.Supervisor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/** The cost of a large repository: its checkpoint, and the takeover by a host without a replica. */
final class LogBench {
  private static final int SINGLE_COMMITS = 1_000;
  private static final int ROUNDS = 3;

  private final Path root;
  private final Consumer<Measured> figures;

  LogBench(Path root, Consumer<Measured> figures) {
    this.root = root;
    this.figures = figures;
  }

  void run() throws Exception {
    Files.createDirectories(root.resolve("log"));
    Files.createDirectories(root.resolve("tmp"));
    try (DirectorySlotStore store = new DirectorySlotStore(Folder.open(root), "bench")) {
      CommitLog.create(store);
      checkpoints(store, filled(store));
      takeovers(store);
      commitsBesideCheckpoints(store);
    }
  }

  private LogState filled(DirectorySlotStore store) throws Exception {
    long start = System.nanoTime();
    LogState state = LargeLog.fill(store);
    double seconds = (System.nanoTime() - start) / 1e9;
    figures.accept(Measured.plain("SDM alone, requests", 2 * LargeLog.IMAGES / seconds, "1/s"));
    return state;
  }

  private void checkpoints(DirectorySlotStore store, LogState state) throws Exception {
    List<Double> millis = new ArrayList<>();
    long bytes = 0;
    for (int round = 0; round < ROUNDS; round++) {
      store.delete(List.of("%016d.checkpoint".formatted(state.sequence())));
      long start = System.nanoTime();
      bytes = new Checkpointer(store).checkpoint(state);
      millis.add((System.nanoTime() - start) / 1e6);
    }
    figures.accept(Measured.plain("checkpoint of 100,000 images", bytes / 1e6, "MB"));
    millis.forEach(each -> figures.accept(Measured.plain("  written and read back", each, "ms")));
  }

  private void takeovers(DirectorySlotStore store) throws Exception {
    for (int round = 0; round < ROUNDS; round++) {
      long start = System.nanoTime();
      LogState state = new LogReader(store).load();
      double millis = (System.nanoTime() - start) / 1e6;
      figures.accept(
          Measured.atMost("  replayed by a host that knows nothing", millis, "ms", 2_000));
      System.gc();
      Runtime runtime = Runtime.getRuntime();
      double heap = (runtime.totalMemory() - runtime.freeMemory()) / 1e6;
      if (state.repository().images().size() >= LargeLog.IMAGES) {
        figures.accept(Measured.plain("  heap after it", heap, "MB"));
      }
    }
  }

  private void commitsBesideCheckpoints(DirectorySlotStore store) throws Exception {
    try (Replica replica = new Replica("bench", store)) {
      CountDownLatch leading = new CountDownLatch(1);
      try (Sdm sdm =
          new Sdm(
              store,
              replica,
              "again",
              Clock.systemUTC(),
              LargeLog.leading(leading::countDown),
              new Supervisor())) {
        long start = System.nanoTime();
        sdm.lead();
        leading.await();
        figures.accept(Measured.plain("  term begun in", (System.nanoTime() - start) / 1e6, "ms"));
        single("commit, alone", sdm);
        AtomicBoolean done = new AtomicBoolean();
        Thread other =
            Thread.ofPlatform()
                .start(() -> {
                  while (!done.get()) {
                    try {
                      new Checkpointer(store).checkpoint(replica.state());
                    } catch (java.io.IOException e) {
                      throw new java.io.UncheckedIOException(e);
                    }
                  }
                });
        single("commit, beside a checkpoint", sdm);
        done.set(true);
        other.join();
      }
    }
  }

  private void single(String name, Sdm sdm) throws Exception {
    long[] nanos = new long[SINGLE_COMMITS];
    for (int i = 0; i < nanos.length; i++) {
      long start = System.nanoTime();
      sdm.submit(LargeLog.id(), LargeLog.disk(LargeLog.id(), i)).get();
      nanos[i] = System.nanoTime() - start;
    }
    Samples samples = Samples.of(nanos);
    figures.accept(Measured.plain(name + ", p50", samples.millis(0.5), "ms"));
    figures.accept(Measured.plain(name + ", p99", samples.millis(0.99), "ms"));
    figures.accept(Measured.plain(name + ", max", samples.millis(1), "ms"));
  }
}
