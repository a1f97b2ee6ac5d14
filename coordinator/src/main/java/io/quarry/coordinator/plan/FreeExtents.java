package io.quarry.coordinator.plan;

/**
 * A file that no volume has loses its extents, such as that of an epoch which did not win. Other
 * files get them only when no host can have the file mapped.
 */
public record FreeExtents(String file) implements Request {
  public FreeExtents {
    Checked.file("file", file);
  }

  @Override
  public Reply plan(Transaction transaction) {
    if (transaction.state().extents().allocation(file) != null) {
      ExtentChanges extents = new ExtentChanges(transaction);
      extents.requireUseless(file);
      extents.free(file);
    }
    return transaction.reply(this, file);
  }

  @Override
  public boolean freesSpace() {
    return true;
  }
}
