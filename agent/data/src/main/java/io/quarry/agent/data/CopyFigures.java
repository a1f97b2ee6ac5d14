package io.quarry.agent.data;

/**
 * What a copy did, in bytes.
 *
 * @param read from the source
 * @param written to the target
 * @param skipped neither written nor shared, since they are holes or zeros
 * @param cloned shared with the source by the filesystem
 */
public record CopyFigures(long read, long written, long skipped, long cloned) {}
