package io.quarry.agent.storage;

import io.quarry.agent.storage.directory.LocalfsFormat;
import io.quarry.common.api.StorageException;
import java.util.List;
import java.util.stream.Collectors;

/** The formats this agent knows, by name. */
public final class RepositoryFormats {
  private static final List<RepositoryFormat> ALL = List.of(new LocalfsFormat());

  private RepositoryFormats() {}

  public static RepositoryFormat find(String name) {
    return ALL.stream()
        .filter(format -> format.name().equals(name))
        .findAny()
        .orElseThrow(() ->
            StorageException.invalid(
                "repoFormat",
                "there is no repository format " + name,
                "use one of: "
                    + ALL.stream().map(RepositoryFormat::name).collect(Collectors.joining(", "))));
  }
}
