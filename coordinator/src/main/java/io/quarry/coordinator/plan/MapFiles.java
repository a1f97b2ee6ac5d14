package io.quarry.coordinator.plan;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A host may map these files. Only after this commit the host makes devices for them.
 *
 * @param boot in which the host runs
 */
public record MapFiles(String hostId, HostBoot boot, List<String> files) implements Request {
  /** The most files of one record: several times the longest chain. */
  private static final int FILES_MAX = 1_000;

  public MapFiles(String hostId, @Nullable HostBoot boot, @Nullable List<String> files) {
    this.hostId = Checked.name("hostId", hostId);
    this.boot = Checked.boot(Checked.present("boot", boot));
    this.files = Checked.files(files, FILES_MAX);
  }

  @Override
  public Reply plan(Transaction transaction) {
    ExtentChanges changes = new ExtentChanges(transaction);
    for (String file : files) {
      changes.requireUsable(file);
      changes.map(file, hostId, boot);
    }
    return transaction.reply(this, hostId);
  }

  @Override
  public boolean usesImages() {
    return true;
  }
}
