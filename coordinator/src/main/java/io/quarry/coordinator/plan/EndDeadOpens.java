package io.quarry.coordinator.plan;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A host is back after a reboot, and ends what its earlier boots had open. Only the host itself
 * asks for that, about opens that it has seen in the log: so its present boot came after them,
 * however late the request arrives. An upload is its caller's, who goes on at another host.
 *
 * @param boot in which the host runs
 */
public record EndDeadOpens(String hostId, HostBoot boot, List<String> openIds) implements Request {
  /** So many go into one record. */
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

  /** Whether the host proves by its boot that the use is over. */
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
