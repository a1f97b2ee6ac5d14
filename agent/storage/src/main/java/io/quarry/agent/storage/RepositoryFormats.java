package io.quarry.agent.storage;

import io.quarry.common.api.StorageException;
import java.util.List;
import java.util.stream.Collectors;

/** The formats this agent knows, by name. */
public final class RepositoryFormats {
  private final List<RepositoryFormat> all;

  public RepositoryFormats(List<RepositoryFormat> all) {
    this.all = List.copyOf(all);
  }

  public RepositoryFormat find(String name) {
    return all.stream()
        .filter(format -> format.name().equals(name))
        .findAny()
        .orElseThrow(() ->
            StorageException.invalid(
                "repoFormat",
                "there is no repository format " + name,
                "use one of: "
                    + all.stream().map(RepositoryFormat::name).collect(Collectors.joining(", "))));
  }

  /** The agent ends; see {@link RepositoryFormat#agentEnds}. */
  public void agentEnds() {
    all.forEach(RepositoryFormat::agentEnds);
  }
}
