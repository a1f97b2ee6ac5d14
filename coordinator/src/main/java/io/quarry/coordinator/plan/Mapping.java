package io.quarry.coordinator.plan;

/**
 * A host may read and write the extents of a file. As long as the log has the mapping, the host may
 * have a device for the file, and no other file gets the extents.
 *
 * @param boot of the host: a device lives as long as its kernel
 * @param since the commit that allowed the mapping last. The end of a mapping names this commit, so
 *     a late request cannot end a mapping that was allowed since
 */
public record Mapping(String file, String hostId, HostBoot boot, long since) {}
