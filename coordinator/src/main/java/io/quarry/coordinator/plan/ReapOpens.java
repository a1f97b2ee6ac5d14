package io.quarry.coordinator.plan;

import java.util.List;

/**
 * A host is confirmed dead: no process on it uses any image any more. Uploads stay: their callers
 * go on at another host.
 */
public record ReapOpens(String hostId) implements Request {
  public ReapOpens {
    Checked.name("hostId", hostId);
  }

  @Override
  public Reply plan(Transaction transaction) {
    List<Open> opens =
        transaction.state().opens().values().stream()
            .filter(open -> open.hostId().equals(hostId) && open.fills() == null)
            .toList();
    opens.forEach(transaction::close);
    return transaction.reply(this, hostId);
  }

  @Override
  public boolean freesSpace() {
    return true;
  }
}
