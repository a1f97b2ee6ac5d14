package io.quarry.coordinator.sdm;

import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.log.Replica;
import io.quarry.coordinator.log.SimLog;
import io.quarry.coordinator.log.SlotStore;
import io.quarry.coordinator.sim.Baton;
import io.quarry.coordinator.sim.Life;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The real SDM, whose threads take turns with all other actors. */
public final class SimSdm {
  private static final int QUEUED_MAX = 64;

  /** Small, so that short histories have checkpoints. */
  private static final long CHECKPOINT_RECORDS = 8;

  private SimSdm() {}

  /** An SDM of that life, which ends with it. */
  public static Sdm of(
      SlotStore store,
      Replica replica,
      String writer,
      InstantSource clock,
      Baton baton,
      Life life) {
    return new Sdm(
        store,
        replica,
        writer,
        clock,
        new Silent(),
        new SdmRuntime(
            (slots, name) -> SimLog.commitLog(slots, name, () -> life.step("waits for the view")),
            new SteppedQueue(life),
            name -> task -> baton.unstarted(writer + " " + name, self -> task.run()),
            name -> new Background(writer + " " + name, baton),
            CHECKPOINT_RECORDS));
  }

  private static final class Silent implements SdmListener {
    @Override
    public void leading(LogState state) {}

    @Override
    public void committed(LogState before, LogState after) {}

    @Override
    public void steppedDown(String reason) {}
  }

  /** A thread that waits for a request hands over its turn. */
  private static final class SteppedQueue extends ArrayBlockingQueue<Submission> {
    private static final long serialVersionUID = 1L;

    private final transient Life life;

    SteppedQueue(Life life) {
      super(QUEUED_MAX);
      this.life = life;
    }

    @Override
    public @Nullable Submission poll(long timeout, TimeUnit unit) {
      var _ = life.await(() -> !isEmpty(), "waits for requests");
      return poll();
    }
  }

  /** Runs one task after the other, by an actor that exists as long as there is a task. */
  private static final class Background extends AbstractExecutorService {
    private final String name;
    private final Baton baton;
    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private boolean busy;

    Background(String name, Baton baton) {
      this.name = name;
      this.baton = baton;
    }

    @Override
    public void execute(Runnable task) {
      tasks.add(task);
      if (!busy) {
        busy = true;
        baton.add(name, self -> work());
      }
    }

    private void work() {
      for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
        task.run();
      }
      busy = false;
    }

    /** No caller depends on the end of the tasks. */
    @Override
    public void shutdown() {}

    @Override
    public List<Runnable> shutdownNow() {
      return List.of();
    }

    @Override
    public boolean isShutdown() {
      return false;
    }

    @Override
    public boolean isTerminated() {
      return false;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
      return true;
    }
  }
}
