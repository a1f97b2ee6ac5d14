package io.quarry.coordinator.plan;

import java.util.List;

/**
 * A file gets extents for so many bytes, unless it has them, and the host may map it. The file
 * keeps what it has.
 *
 * @param file of a volume that is made or used
 * @param bytes from the beginning of the file on
 */
public record ReserveExtents(String file, String hostId, HostBoot boot, long bytes)
    implements Request {
  public ReserveExtents {
    Checked.file("file", file);
    Checked.name("hostId", hostId);
    Checked.boot(Checked.present("boot", boot));
    Checked.positive("bytes", bytes);
  }

  @Override
  public Reply plan(Transaction transaction) {
    Extents extents = transaction.state().extents();
    Pool pool = extents.pool();
    if (pool == null) {
      throw PlanErrors.noExtents("file");
    }
    ExtentChanges changes = new ExtentChanges(transaction);
    changes.requireUsable(file);
    Allocation before = extents.allocation(file);
    long missing = pool.extentsFor(bytes) - (before == null ? 0 : before.extents());
    if (missing > 0) {
      List<Run> more = extents.fit(missing, before);
      if (more.isEmpty()) {
        throw PlanErrors.noSpace(file, missing, extents);
      }
      Allocation none = new Allocation(file, List.of());
      transaction.add(new Change.PutAllocation((before == null ? none : before).plus(more)));
    }
    changes.map(file, hostId, boot);
    return transaction.reply(this, file);
  }
}
