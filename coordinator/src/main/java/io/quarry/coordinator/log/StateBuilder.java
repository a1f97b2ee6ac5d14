package io.quarry.coordinator.log;

import io.quarry.coordinator.plan.Change;
import io.quarry.coordinator.plan.RepositoryState;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/** Applies a checkpoint's changes in their order, while another thread parses the next ones. */
final class StateBuilder implements Consumer<Change> {
  private static final int BATCH_CHANGES = 512;

  /** Batches that may wait to be applied. */
  private static final int WAITING_MAX = 16;

  private CompletableFuture<RepositoryState> state =
      CompletableFuture.completedFuture(RepositoryState.EMPTY);
  private List<Change> batch = new ArrayList<>();
  private int batches;

  @Override
  public void accept(Change change) {
    batch.add(change);
    if (batch.size() == BATCH_CHANGES) {
      List<Change> full = batch;
      batch = new ArrayList<>(BATCH_CHANGES);
      if (++batches % WAITING_MAX == 0) {
        state.join();
      }
      state = state.thenApplyAsync(before -> apply(before, full));
    }
  }

  private static RepositoryState apply(RepositoryState before, List<Change> changes) {
    RepositoryState state = before;
    for (Change change : changes) {
      state = state.apply(change);
    }
    return state;
  }

  /** The state with all changes; fails if applying a change failed. */
  RepositoryState build() {
    return apply(state.join(), batch);
  }
}
