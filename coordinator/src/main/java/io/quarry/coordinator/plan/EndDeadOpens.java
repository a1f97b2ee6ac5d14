package io.quarry.coordinator.plan;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A host is back after a reboot, and ends the opens of its earlier boots. Only the host itself
 * sends this request, for opens that it has seen in the log. So the host's present boot began after
 * these opens, however late the request arrives. Uploads stay: their callers go on at another host.
 *
 * @param boot in which the host runs
 */
public record EndDeadOpens(String hostId, HostBoot boot, List<String> openIds) implements Request {
  /** The most opens of one record. */
  public static final int OPENS_MAX = 1_000;

  public EndDeadOpens(String hostId, @Nullable HostBoot boot, @Nullable List<String> openIds) {
    this.hostId = Checked.name("hostId", hostId);
    this.boot = Checked.boot(Checked.present("boot", boot));
    this.openIds = Checked.openIds(openIds, OPENS_MAX);
  }

  @Override
  public Reply plan(Transaction transaction) {
    for (String openId : openIds) {
      Open open = transaction.state().opens().get(openId);
      if (open != null && isDead(open, hostId, boot)) {
        transaction.close(open);
      }
    }
    return transaction.reply(this, hostId);
  }

  /** Whether the host proves by its boot that the open's user has ended. */
  public static boolean isDead(Open open, String hostId, HostBoot boot) {
    return open.hostId().equals(hostId)
        && open.fills() == null
        && open.boot() != null
        && boot.ends(open.boot());
  }

  @Override
  public boolean freesSpace() {
    return true;
  }
}
