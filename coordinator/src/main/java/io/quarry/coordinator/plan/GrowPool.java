package io.quarry.coordinator.plan;

/**
 * The device of the repository has at least so many extents. A host that still sees the device as
 * it was before does no harm.
 */
public record GrowPool(long extentBytes, long extents) implements Request {
  public GrowPool {
    Checked.positive("extentBytes", extentBytes);
    Checked.positive("extents", extents);
  }

  @Override
  public Reply plan(Transaction transaction) {
    RepositoryState state = transaction.state();
    if (!state.schema().has(Feature.EXTENTS)) {
      throw PlanErrors.noExtents("extents");
    }
    Pool pool = state.extents().pool();
    if (pool == null || pool.extents() < extents) {
      transaction.add(
          new Change.PutPool(new Pool(pool == null ? extentBytes : pool.extentBytes(), extents)));
    }
    return transaction.reply(this, "pool");
  }

  /** More space is what a full repository needs. */
  @Override
  public boolean freesSpace() {
    return true;
  }
}
